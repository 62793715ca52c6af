// Package checker runs checks on their schedule, with bounds on time and number, and publishes immutable snapshots of
// their results.
//
// # Results
//
//	what happened                      value         status                                            reason
//	nil                                available     healthy                                           ok
//	an error of Degraded               degraded      warning                                           degraded
//	nil, after 0.8 × Timeout           degraded      warning                                           degraded
//	an error                           unavailable   critical from FailureThreshold on, else warning   error
//	no return within Timeout           timeout       critical from TimeoutThreshold on, else warning   timeout
//	a panic, or runtime.Goexit         error         critical                                          panic
//	an open circuit breaker            circuit_open  critical                                          circuit_open
//	a measured number                  the number    by Warning and Critical                           ok, threshold
//	older than 3 × Interval + Timeout  the last one  unknown                                           stale
//	the process itself starves         the last one  warning                                           starved
//
// An Optional check is warning where this table has critical or unknown. Only success improves a status: a critical check stays
// critical, with its reason and message, until SuccessThreshold runs in a row have passed, and a failure makes a stale one
// critical at once. Before the first result the
// status is unknown, which does not serve, or warning if Optional; starvation does not change that.
//
// A typed nil returned as error is an error. An error with methods that panic is replaced by one that names its type. An open
// circuit breaker is any error in the chain with a method CircuitOpen() bool that returns true. An error that wraps
// [ErrInconclusive] makes the check stale. [Degraded] and [Failed] give an error a public text; a degraded run counts as a
// success. A success that takes Check.SlowShare of Timeout is degraded.
//
// The process starves when it kept a goroutine waiting for a CPU during at least half of a run (and 50 ms), or when the
// scheduler did not run for a whole interval (and 50 ms), as after SIGSTOP. Timeouts are then no failures and results
// do not expire, but a critical or unknown status does not improve either. A success that arrives long after the
// timeout, because the process was suspended, does not improve it.
//
// # Concurrency and ownership
//
// All methods may be called concurrently. The goroutine that calls Run schedules and evaluates; each run has its own, at
// most Config.MaxConcurrent at a time. A check has at most one run in flight. One that ignores its context is abandoned at its
// timeout: it no longer counts against Config.MaxConcurrent, counts as one more timeout at each due time, and recovers once it
// has returned and a new run has passed. After Replace and Remove, the old run may go on beside a new one if it ignores its context;
// its result is dropped. Readers never run a check.
//
// Snapshots and Results are shared and must not be changed. The slices of a Check are copied.
//
// # Cost
//
// Reading is one atomic load. An idle Checker has no goroutine but that of Run, and one timer for all checks. Publishing
// copies one pointer per check; with more than 256 checks there are at least 2 µs per check between two snapshots (10 ms
// for 5,000).
package checker
