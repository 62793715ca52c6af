// Package vitals tells truthfully whether traffic should come to a gRPC server, through every door that asks.
package vitals
