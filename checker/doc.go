// Package checker asks: it runs checks on their schedule, bounds each one in time and number, judges what they say,
// and publishes what is known as immutable editions.
//
// # Judgement
//
//	what happened                      value         status                                            reason
//	nil                                available     healthy                                           ok
//	an error                           unavailable   critical from FailureThreshold on, else warning   error
//	no answer within Timeout           timeout       critical from TimeoutThreshold on, else warning   timeout
//	a panic, or runtime.Goexit         error         critical                                          panic
//	a circuit breaker answered         circuit_open  critical                                          circuit_open
//	a measured number                  the number    by Warning and Critical                           ok, threshold
//	older than 3 × Interval + Timeout  the last one  unknown                                           stale
//	the process itself starves         the last one  warning                                           starved
//
// An Optional check is at worst warning where this table says critical. Only success improves a status: a check that
// is critical stays so, whatever fails next, until SuccessThreshold runs in a row have passed; until then it keeps its
// status, reason and message. Without evidence it is unknown, which does not serve either. A starving process that has no
// evidence yet leaves the status unknown.
//
// A typed nil, such as a nil *MyError returned as error, is an error like any other: a comparison with nil says so,
// and so do we. An error whose methods panic is replaced by one that names its type.
//
// A circuit breaker is recognised by structure: any error in the chain with a method CircuitOpen() bool that returns
// true. An error that wraps ErrInconclusive says that the check could not find out: unknown, stale, the last value.
//
// The process starves when, while a run was in flight, it kept a goroutine of ours waiting for a CPU for at least half
// of that time (and 50 ms), or when the scheduler slept through a whole interval (and 50 ms), as after SIGSTOP.
// Timeouts are then not held against the dependency, nor do results expire; nothing that was critical or unknown
// improves by it. An answer that a frozen process finds only when it goes on, long after the check's timeout, is no
// recovery either.
//
// # Concurrency
//
// One goroutine schedules and judges; each run has a goroutine of its own while it lasts, Config.Parallel of them at
// most. A check never has two runs in flight. One that ignores its context is abandoned at its timeout: it no longer
// counts against Config.Parallel, each following due time counts as one more timeout, and the check recovers by
// itself once that run has returned and a new one has passed. So a check costs at most one goroutine for ever.
// All methods may be called concurrently. Nobody who reads runs a check.
//
// # Ownership
//
// Run owns every goroutine. Snapshots and Results are shared: do not change them. Functions and slices of a Check are
// the caller's; slices are copied.
//
// # Cost
//
// Reading is one atomic load. A check at rest costs memory only, one timer serves all of them. Publishing copies one
// pointer per check; with more than 256 checks results are gathered for 2 µs per check (10 ms for 5,000) first.
package checker
