// Package servicer is the judge: it hears the witnesses (checker, interceptor, breaker), folds what they know into one
// immutable Report, and answers grpc.health.v1 and vitals.v1.HealthReportService from it.
//
// # Two judgements
//
// Report.Overall is the worst status of all metrics: what a person should know. Serving is a separate judgement: a name
// of grpc.health.v1 is SERVING iff the phase is ready and every check that gates it is neither critical nor unknown.
// A warning serves, once the check has passed: a dependency that has timed out twice and never answered yet does not.
// A busy CPU can make the overall status critical without taking the server out of traffic.
//
// Names are "", liveness, readiness, startup, every registered service, every check, and what SetServingStatus sets.
// With no witnesses at all a Server answers like the health.Server of grpc-go, from birth.
//
// # Life
//
// The phase goes from starting to ready when the first results of the gating checks are in, to draining with Drain or
// the end of Serve's context, and to stopped. Drain tells every watch, goes on serving for a while, ends the watches
// with UNAVAILABLE and only then stops the server, because GracefulStop alone waits for an open Watch for ever.
//
// A verdict that nobody updates is not believed. Before Run a Server says what New found. When Run has ended without a drain, or
// a witness has kept it waiting for ten seconds, no name serves that depends on judgement, the metric health_evaluation says
// stopped or stuck, and the overall status is unknown; liveness fails only in the second case, which a restart may cure.
// Every door says so at once, because all of them repeat the same edition. Without witnesses there is nothing to judge, and none of this applies.
//
// # Concurrency, ownership, cost
//
// New starts nothing. Run and Serve own every goroutine that they start and wait for it, except for one that itself waits
// for code that never returns: a witness, a log handler, the Error method of an error. Readers load one immutable edition with one
// atomic read and never run a check; Check takes no lock and allocates nothing; a change of status costs the same few
// allocations however many watches there are. Witnesses belong to those who made them: Run reads them only.
package servicer
