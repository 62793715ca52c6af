// Package grpcbreaker adds circuit breakers to gRPC clients, as client interceptors.
//
//	interceptor, err := grpcbreaker.New(grpcbreaker.Config{Breaker: b})
//	conn, err := grpc.NewClient(target, interceptor.DialOptions()...)
//
// # Outcomes
//
// Failures are Unavailable, Internal, Unknown, DataLoss, and DeadlineExceeded of a call that had time left when it began.
// Canceled, Aborted, Unimplemented and ResourceExhausted are neutral. All other codes are successes: the server
// responded.
//
// An Unavailable or ResourceExhausted with google.rpc.RetryInfo or the trailer grpc-retry-pushback-ms opens the breaker
// for at least that time. The RetryInfo of a breaker.OpenError that the server returned does not: it is about a
// dependency of the server.
//
// gRPC's own retries run below interceptors: a call counts once. Put a retry interceptor inside the breaker, or exclude
// errors for which breaker.IsRejected is true from retries.
//
// # Streams
//
// A stream is recorded when gRPC reports its end: after an error or io.EOF, cancellation, or the close of the
// connection. A stream is never slow. On a half-open probe the first header or message that the client receives closes
// the breaker, so that a long stream does not delay other calls; without one the probe fails after ProbeTimeout.
//
// # Concurrency and cost
//
// Everything is safe for concurrent use; nothing is started. A unary call costs one call option more than the breaker,
// for the trailer. Calls of the health and reflection services are not protected.
package grpcbreaker
