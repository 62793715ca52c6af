// Package grpcbreaker adds circuit breakers to gRPC clients, as client interceptors.
//
//	interceptor, err := grpcbreaker.New(grpcbreaker.Config{Breaker: b})
//	conn, err := grpc.NewClient(target, interceptor.DialOptions()...)
//
// # Outcomes
//
// Failures are Unavailable, Internal, Unknown, DataLoss, and DeadlineExceeded of a call that had enough time: see
// breaker.Config.MinDeadline.
// Canceled, Aborted, Unimplemented and ResourceExhausted are neutral. All other codes are successes: the server
// responded.
//
// An Unavailable or ResourceExhausted with google.rpc.RetryInfo or the trailer grpc-retry-pushback-ms opens the breaker
// for at least that time, unless Config.Classify calls it a success. One caller's quota then rejects the calls of all: choose a
// breaker for each by Config.BreakerFor where callers have quotas of their own. The RetryInfo of a breaker.OpenError that the
// server returned does not open it: it is about a dependency of the server. A unary call reads the trailer while half-open and
// until 1,000 calls without such a code have succeeded since the last one, so that a first failure after them opens the
// breaker by its RetryInfo only.
//
// A call counts once, by what its caller gets. gRPC's own retries run below interceptors. Put a retry interceptor outside of
// the breaker, with breaker.Retryable as its predicate: inside, the breaker opens after many times as many attempts.
//
// # Streams
//
// A stream is recorded when its caller gets an error, io.EOF or the only response, cancels the context, or closes the
// connection. A stream is never slow. On a half-open probe the first header or message that the client receives closes
// the breaker, so that a long stream does not delay other calls; without one the probe fails after MaxCallTime.
//
// # Concurrency and cost
//
// Everything is safe for concurrent use; nothing is started. A unary call that succeeds allocates nothing; one that reads
// the trailer needs a call option, which makes three allocations. Calls of the health and reflection services are not protected.
package grpcbreaker
