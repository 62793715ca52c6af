// Package servicer evaluates checks, breakers and request statistics into one immutable Report, and serves it over
// grpc.health.v1 and vitals.v1.HealthReportService.
//
// # Evaluation
//
// Checks (package checker), breakers (package breaker), request statistics (package interceptor), manual statuses
// (SetServingStatus, Shutdown, Resume), maintenance and the phase are the inputs of one pure function. Its result is
// published once, as a Report and as a map from names to statuses, so that Check, Watch, List and every reader of reports
// agree at any time.
//
// Report.Overall is the worst status of all metrics. It is for operators and dashboards. Serving is separate: a name is
// SERVING if the phase is ready, it is not in maintenance, its manual status allows it, and every check that gates it
// has passed once and is neither critical nor unknown. So a busy CPU can make the overall status critical while all
// names serve.
//
// Names are "", liveness, readiness, startup, every registered service, every check, and what SetServingStatus sets. A
// Server without sources behaves like grpc-go's health.Server, from New on and without Run.
//
// # Phases
//
// The phase becomes ready when the checks that gate readiness or startup have their first results, draining with Drain or
// when the context of Serve is done, and stopped when all servers have stopped. A drain ends Watch streams with
// UNAVAILABLE after a delay, since GracefulStop alone waits forever for an open Watch.
//
// When Run has returned without a drain, or a source has blocked it for 10 s, names that depend on evaluation are
// NOT_SERVING, the metric health_evaluation is stopped or stalled, and the overall status is unknown. Liveness fails
// only in the second case, which a restart may fix. None of this applies to a Server without sources.
//
// # Concurrency, ownership and cost
//
// New starts nothing. Run and Serve own the goroutines that they start and wait for them, except for one in code that
// blocks: a source or a log handler. Reading a report costs two atomic loads and runs no check. Check takes no lock and
// allocates nothing. Setting a manual status evaluates one name. A change of a status costs the same allocations for
// any number of watches. Sources belong to the code that made them: Run only reads them.
package servicer
