// Package healthclient is a client of grpc.health.v1.
//
// ServiceConfig makes a client balance over the servers that are serving, WeightedServiceConfig weighs them by load too.
// WaitServing waits for one server, Watch follows it across reconnects. A server that is unreachable, does not know the
// service or has no health service is not serving; State.Err is the reason.
//
// All functions are safe for concurrent use. Watch and WaitServing use one goroutine and one stream until they return.
package healthclient
