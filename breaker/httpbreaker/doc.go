// Package httpbreaker adds circuit breakers to HTTP clients, as an http.RoundTripper.
//
//	transport, err := httpbreaker.New(httpbreaker.Config{Breaker: b})
//	client := &http.Client{Transport: transport, Timeout: 5 * time.Second}
//
// # Outcomes
//
// Transport errors and 5xx responses except 501 and 505 are failures. 429 and canceled requests are neutral. All other
// responses are successes: the server responded. A 429 or 503 with Retry-After, in seconds or as a date, opens the
// breaker for at least that time, up to MaxOpenTime.
//
// A request ends for the breaker when the header of the response has arrived. The response is returned unchanged; its
// body is neither read nor closed. The body of a rejected request is closed, as http.RoundTripper requires.
//
// # Concurrency and cost
//
// Everything is safe for concurrent use; nothing is started. A request costs one Allow and one Record.
package httpbreaker
