// Package httpbreaker guards HTTP clients with circuit breakers, by an http.RoundTripper.
//
//	guard, err := httpbreaker.New(httpbreaker.Config{Breaker: b})
//	client := &http.Client{Transport: guard, Timeout: 5 * time.Second}
//
// # What counts
//
// A failure is a transport error, or a 5xx except 501 and 505. 429 is neutral, as is what a caller that gave up
// brought about. Every other response is a success: the dependency answered. A 429 or 503 with Retry-After, in seconds
// or as a date, opens the breaker for at least that long, at most for the breaker's MaxOpenTime.
//
// The call ends for the breaker when the response's headers are in. The response is returned as it came; its body is
// neither read nor closed. A request that is turned away has its body closed, as an http.RoundTripper must.
//
// # Concurrency, ownership and cost
//
// Everything may be used concurrently; nothing is started. A request costs one Allow and one Done, and a map lookup
// with a Group.
package httpbreaker
