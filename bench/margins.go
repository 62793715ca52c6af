package main

// margin is the tolerance of a goal in -check, where 0 means not checked. The factor is about twice the noise of a shared
// machine and below the cost of a real regression: a mutex, a clock reading or an allocation on a hot path.
type margin struct {
	what   string
	factor float64 // 0: not checked
	why    string
}

var margins = []margin{
	{"unary recorder against two clock readings", 1.4, "both run in the same few instructions; a mutex and time.Now in it make 2.7"},
	{"allocations of the unary recorder", 1, "a count"},
	{"failing call against a good one", 1.3, "the same code but for one branch; an allocation makes 1.5"},
	{"cheaper than the Prometheus interceptor with histogram", 1.5, "the peer allocates, so garbage collection is in it"},
	{"two cores against one", 0, "needs a second core without other load"},
	{"two cores with 64 goroutines each against one", 0, "needs a second core without other load"},
	{"percent of a unary echo, beyond an interceptor that does nothing", 0, "the difference of two long calls: noise is larger than what is measured"},
	{"cheaper than otelgrpc metrics, end to end", 0, "the difference of two long calls"},
	{"cheaper than the Prometheus interceptor, end to end", 0, "the difference of two long calls"},
	{"message of a stream against one atomic add", 1.5, "two nanoseconds each: the alignment of a loop is a third of that"},
	{"allocations of 1,000 messages", 1, "a count"},
	{"allocations of open and close", 1, "a count"},
	{"call among 1,000 methods against one among 10", 4, "a neighbour takes its share of the cache, and a thousand methods need more of it; a search through a list makes 50"},
	{"KiB of an idle method", 1.1, "a size; what else the process allocates meanwhile is in it"},
	{"Check handler against grpc-go's", 1.5, "ten nanoseconds against forty"},
	{"allocations of Check", 1, "a count"},
	{"p99.99 of Check while 10,000 watchers flip, against grpc-go's", 0, "a tail: on a busy machine it is the scheduler's"},
	{"ns to set an equal status, 10,000 watchers", 4, "not a ratio, so a slow machine is in it; notifying 10,000 watchers makes 10,000 times that"},
	{"allocations that 10,000 watchers add to a change", 50, "a count, but the runtime's own for goroutines that wait are in it, dozens where the machine is very busy; one for each watcher makes 10,000"},
	{"last of 100 watchers notified, against grpc-go's", 0, "mostly the scheduler's time, on both cores"},
	{"last of 1000 watchers notified, against grpc-go's", 0, "mostly the scheduler's time, on both cores"},
	{"last of 10000 watchers notified, against grpc-go's", 0, "mostly the scheduler's time, on both cores"},
	{"last of 50000 watchers notified, against grpc-go's", 0, "mostly the scheduler's time, on both cores"},
	{"allocations of a closed breaker", 1, "a count"},
	{"allocations of a rejection", 1, "a count"},
	{"rejection cheaper than gobreaker v2's", 1.6, "the peer's mutex and clock against one word read; the same in ours makes 0.7"},
	{"closed, cheaper than gobreaker v2, rolling window", 1.6, "the peer's mutex and clock against one word read and one addition; a mutex and a clock in ours make 1.4"},
	{"closed, 2 cores × 64 goroutines, cheaper than gobreaker v2, rolling window", 0, "needs a second core without other load"},
	{"/health with 10 checks, cheaper than alexliesenfeld/health", 2, "far from its goal; rendering for every request makes 1"},
	{"/health with 10 checks, cheaper than hellofresh/health-go", 2, "far from its goal; rendering for every request makes 1"},
	{"ns of a fresh snapshot and a report, for each of 1,000 methods", 2, "not a ratio, so a slow machine is in it"},
	{"p99 of /ready while a dependency hangs, against idle", 0, "a tail: on a busy machine it is the scheduler's"},
	{"p99 of GetHealthReport against Check's, while a dependency and a disk hang", 0, "a tail: on a busy machine it is the scheduler's"},
	{"Gather, 100 methods, against equal Vecs", 1.4, "both allocate, so garbage collection is in it"},
	{"Gather, 1,000 methods, against equal Vecs", 1.4, "both allocate, so garbage collection is in it"},
	{"Gather, 1,000 methods against 100", 2.5, "ten times as much no longer fits the cache that a neighbour shares; a quadratic way makes 100"},
	{"ServerOptions, end to end, against two clock readings, three additions and recover", 0, "the difference of two long calls"},
	{"allocations that ServerOptions adds to a unary call", 1, "a count"},
	{"client recorder and breaker, end to end, against gobreaker by hand alone", 0, "the difference of two long calls"},
	{"allocations that client recorder and breaker add to a unary call", 1, "a count"},
	{"processor time of an idle minute with 10 checks, against the peers' stack", 0, "takes a minute, and milliseconds of processor time depend on the kernel"},
	{"processor time of an idle minute with 10,000 methods, against 10", 0, "takes a minute"},
	{"size of the program, against the peers' stack", 0, "a size, but two programs are built for it"},
	{"resident memory, against the peers' stack", 0, "a size, but the kernel decides which pages stay"},
	{"start to SERVING, against the peers' stack", 0, "milliseconds that other load doubles"},
	{"16,000 new names while reports are followed, against grpc-go's", 0, "two goroutines, so the second core is in it"},
	{"growth of new names, from 1,000 to 16,000", 1.5, "two goroutines, so the second core is in it; a quadratic way makes 2"},
	{"growth of Config.Services, from 1,000 to 16,000", 1.4, "16,000 no longer fit the cache; a quadratic way makes 1.8"},
	{"growth of a breaker group, from 1,000 to 16,000", 1.4, "16,000 no longer fit the cache; a quadratic way makes 1.9"},
	{"run of a check in vitals.New, against the checker alone", 0, "processor time of timers, which depends on the kernel"},
	{"run of a check, against alexliesenfeld/health", 0, "processor time of timers, which depends on the kernel"},
	{"page of promhttp, 100 methods, plain, against equal Vecs", 0, "Gather of it is checked, the rest is promhttp's on both sides"},
	{"page of promhttp, 100 methods, gzip, against equal Vecs", 0, "Gather of it is checked, the rest is promhttp's on both sides"},
	{"page of promhttp, 1,000 methods, plain, against equal Vecs", 0, "Gather of it is checked, the rest is promhttp's on both sides"},
	{"page of promhttp, 1,000 methods, gzip, against equal Vecs", 0, "Gather of it is checked, the rest is promhttp's on both sides"},
	{"growth of calls with methods", 0, "takes up to a minute to measure"},
	{"growth of gathering with methods", 0, "takes up to a minute to measure"},
	{"growth of snapshot and report with methods", 0, "takes up to a minute to measure"},
	{"growth of memory with methods", 0, "takes up to a minute to measure"},
	{"growth of memory with watches", 0, "takes up to a minute to measure"},
	{"growth of running checks in the checker alone", 0, "takes up to a minute to measure"},
	{"growth of running checks in vitals.New", 0, "takes up to a minute to measure"},
	{"growth of the report with checks", 0, "takes up to a minute to measure"},
	{"growth of /health with checks", 0, "takes up to a minute to measure"},
	{"growth of memory with checks", 0, "takes up to a minute to measure"},
	{"growth of the report with breakers", 0, "takes up to a minute to measure"},
	{"growth of gathering with breakers", 0, "takes up to a minute to measure"},
	{"growth of memory with breakers", 0, "takes up to a minute to measure"},
	{"growth of an idle minute with checks", 0, "takes up to a minute to measure"},
	{"growth of an idle minute with methods", 0, "takes up to a minute to measure"},
}

// gatedFactors are the margins of the goals that -check checks.
func gatedFactors() map[string]float64 {
	factors := map[string]float64{}
	for _, m := range margins {
		if m.factor != 0 {
			factors[m.what] = m.factor
		}
	}
	return factors
}
