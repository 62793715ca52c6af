// Package healthcheck is a health probe that any program can contain, for images without a shell. Main has the flags and
// exit codes of grpc_health_probe.
package healthcheck
