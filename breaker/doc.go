// Package breaker implements circuit breakers: when a dependency keeps failing, calls to it are rejected at once until a
// probe has succeeded.
//
//	          5 failures in a row, or half of at least 20 calls in 30 s
//	Closed ───────────────────────────────────────────────────────────▶ Open
//	  ▲                                                               │    ▲
//	  │ the probe succeeds                 5 s, 10 s, 20 s … 5 min,   │    │ the probe fails
//	  │                                    ± 25 %                     ▼    │ or times out
//	  └─────────────────────────────────────────────────────────── HalfOpen
//
// The state machine is github.com/sony/gobreaker. This package adds rolling windows that hold at low and at high
// traffic, back-off with jitter, a timeout for the probe, neutral outcomes, manual control, a health check that serves as
// the probe and is skipped while calls succeed, and state changes that are published on time without calls.
//
// Use one [Breaker] per dependency, or a [Group] for a client with many targets. [Do] protects a function; grpcbreaker,
// httpbreaker, sqlbreaker and redisbreaker protect clients.
//
// # Outcomes
//
// Each allowed call ends as [Success], [Failure] or [Neutral], once. Neutral calls, such as those that the caller
// canceled or made after its deadline, neither lower the failure rate nor interrupt a run of failures. A panic,
// runtime.Goexit and a probe that exceeds MaxCallTime are failures. Retries belong outside of the breaker: see [Retryable].
//
// Callers differ in patience. A call that ran out of time is Neutral if its caller gave it less than MinDeadline, and a call
// that its caller canceled is a failure if it had run for MaxCallTime.
//
// # Concurrency and cost
//
// Everything is safe for concurrent use. No lock is held while a function, classifier or reader of the user runs. A
// success through a closed breaker reads one word, adds to a per-CPU counter and allocates nothing. A rejection is one
// read, one addition and a shared error. A context that can end adds one clock reading to a call, SlowCall and PassiveWindow
// make it two.
//
// A Breaker has no goroutine and needs no Close. Its timer runs while calls come, to rotate the window, while the breaker
// is open, and during a probe; an unused Breaker can be garbage collected.
package breaker
