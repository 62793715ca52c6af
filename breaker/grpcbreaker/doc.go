// Package grpcbreaker guards gRPC clients with circuit breakers, by client interceptors.
//
//	guard, err := grpcbreaker.New(grpcbreaker.Config{Breaker: b})
//	conn, err := grpc.NewClient(target, guard.DialOptions()...)
//
// # What counts
//
// A failure is Unavailable, Internal, Unknown, DataLoss, or a DeadlineExceeded of a call that had time left when it
// began. Neutral are Canceled, Aborted, Unimplemented and ResourceExhausted: they are the caller's decision, contention,
// one missing method, and saturation. Every other code is a success: the dependency answered.
//
// A server that says how long it wants to be left alone, by google.rpc.RetryInfo or by the trailer
// grpc-retry-pushback-ms of an Unavailable or ResourceExhausted, opens the breaker for at least that long. The RetryInfo
// of a rejection that the server passes on (breaker.OpenError) does not: it is about something behind the server.
//
// gRPC's own retries happen below interceptors: the breaker sees one result per call. A retry interceptor belongs
// inside the breaker, or must not retry what breaker.IsRejected.
//
// # Streams
//
// A stream is settled when gRPC reports its end, which it does once the caller has received an error or io.EOF, has
// cancelled the context or has closed the connection. How long it lasted says nothing: a stream is never slow. The
// header that is waited for, or the first message that is received, on a half-open probe closes the breaker, so that a
// long stream does not hold up other calls; one with neither within ProbeTimeout has failed as a probe.
//
// # Concurrency, ownership and cost
//
// Everything may be used concurrently; nothing is started. A unary call costs, beside the breaker, one call option
// for the trailer. Calls of the health and reflection services are not guarded.
package grpcbreaker
