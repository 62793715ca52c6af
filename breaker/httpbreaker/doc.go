// Package httpbreaker adds circuit breakers to HTTP clients, as an http.RoundTripper.
//
//	transport, err := httpbreaker.New(httpbreaker.Config{Breaker: b})
//	client := &http.Client{Transport: transport, Timeout: 5 * time.Second}
//
// # Outcomes
//
// Transport errors and 5xx responses except 501 and 505 are failures. 429 and canceled requests are neutral. All other
// responses are successes: the server responded. A 429 or 503 with Retry-After, in seconds or as a date, opens the
// breaker for at least that time, up to MaxOpenTime, unless Config.Classify calls it a success. One tenant's quota then
// rejects the requests of all: choose a breaker for each by Config.BreakerFor where tenants have quotas of their own.
//
// A request ends for the breaker when the header of the response has arrived; the response is returned unchanged. With
// Config.IncludeBody it ends with the body, so that a server which fails or stalls in the body counts. The body of a rejected
// request is closed, as http.RoundTripper requires.
//
// # Concurrency and cost
//
// Everything is safe for concurrent use; nothing is started. A request costs one Allow and one Record.
package httpbreaker
