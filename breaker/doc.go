// Package breaker guards calls to dependencies with circuit breakers: when a dependency keeps failing, calls to it are
// turned away at once, until a single probe has shown that it works again.
//
//	          5 failures in a row, or half of at least 20 calls in 30 s
//	Closed ───────────────────────────────────────────────────────────▶ Open
//	  ▲                                                               │    ▲
//	  │ the probe succeeds                 5 s, 10 s, 20 s … 5 min,   │    │ the probe fails,
//	  │                                    spread by a quarter        ▼    │ or never reports
//	  └─────────────────────────────────────────────────────────── HalfOpen
//
// The state machine is github.com/sony/gobreaker. This package adds what it leaves to its users: rules that are true
// at low and at high traffic, back-off with jitter, a lease on the probe, outcomes that are nobody's fault, manual
// control, a health check that does the probing and asks nothing while calls show that all is well, and a state that is
// published on time even when nobody calls.
//
// Use one [Breaker] per dependency; a [Group] where one client talks to many targets. [Do] guards a function. A
// client library that has its own hooks is guarded by an adapter: grpcbreaker, httpbreaker, sqlbreaker and
// redisbreaker are built from [Breaker.Allow] and [Permit.Done], as yours can be.
//
// # What counts
//
// Every admitted call is settled exactly once, as [Success], [Failure] or [Neutral]. Neutral says nothing about the
// dependency: the caller gave up, or had no time left to begin with. Neutral calls neither dilute the failure rate nor
// interrupt a run of failures. A panic and runtime.Goexit are failures; so is a probe that never reports.
//
// # Concurrency, ownership and cost
//
// Everything may be used concurrently. No lock is held while a caller's function, classifier or reader runs. A closed
// breaker's success reads one word and adds to a counter that other cores do not write; nothing is allocated. A
// rejection is one read, one addition and a shared error. With Config.SlowCall or Config.PassiveWindow a call reads the clock
// twice.
//
// A Breaker owns no goroutine. It owns one timer, armed while calls come (it turns the rolling window), while the
// breaker is open (it announces the half-open state) and while a probe runs (it ends the lease). An unused breaker
// has no timer, so that one that is dropped is garbage once its last deadline has passed; there is nothing to close.
package breaker
