package promvitals

import (
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// The families of the report; read-only.
var (
	statusFamily       = newFamily(gauge, "health_status", "Whether a name of grpc.health.v1 serves: 1 or 0.", "service")
	stateFamily        = newFamily(gauge, "health_state", "Overall status of the report: 1 for the state it is in.", "state")
	phaseFamily        = newFamily(gauge, "health_phase", "Phase of the process: 1 for the phase it is in.", "phase")
	runsFamily         = newFamily(counter, "health_checks_total", "Runs of a check, by the status that they led to.", "service", "status")
	durationFamily     = newHistogramFamily(checker.DurationBounds(), "health_check_duration_seconds", "How long the runs of a check took.", "service")
	checkStateFamily   = newFamily(gauge, "health_check_state", "Status of a check: 1 for the state it is in.", "check", "state")
	lastSuccessFamily  = newFamily(gauge, "health_check_last_success_timestamp_seconds", "When a check last passed, as Unix time.", "check")
	failuresFamily     = newFamily(gauge, "health_check_consecutive_failures", "How many runs of a check have failed in a row.", "check")
	measurementFamily  = newFamily(gauge, "health_measurement", "The number that a check last measured, in its unit.", "check", "unit")
	breakerStateFamily = newFamily(gauge, "health_breaker_state", "State of a circuit breaker: 1 for the state it is in.", "breaker", "state")
	transitionsFamily  = newFamily(counter, "health_breaker_transitions_total", "Transitions of a circuit breaker, by the state entered.", "breaker", "state")
	breakerCallsFamily = newFamily(counter, "health_breaker_calls_total", "Calls through a circuit breaker, by result.", "breaker", "result")
	slowCallsFamily    = newFamily(counter, "health_breaker_slow_calls_total", "Slow calls through a circuit breaker; each also has a result.", "breaker")
	watchFamily        = newFamily(gauge, "health_watch_streams", "Open Watch streams of grpc.health.v1.")
	infoFamily         = newFamily(gauge, "health_info", "Always 1; the version is a label.", "version")

	healthFamilies = []*family{
		statusFamily, stateFamily, phaseFamily, runsFamily, durationFamily, checkStateFamily, lastSuccessFamily, failuresFamily,
		measurementFamily, breakerStateFamily, transitionsFamily, breakerCallsFamily, slowCallsFamily, watchFamily, infoFamily,
	}
)

// healthLabels caches the labels of names that the application chooses.
type healthLabels struct {
	names        labelCache[string, labels]
	checks       labelCache[string, *checkLabels]
	measurements labelCache[[2]string, labels]
	breakers     labelCache[string, *breakerLabels]
}

func (l *healthLabels) collect(report *servicer.Report, e *emitter) {
	ofName := func(name string) labels { return statusFamily.with(name) }
	for _, name := range report.Names {
		e.gauge(statusFamily, l.names.of(name.Name, ofName), boolValue(name.Status == healthpb.HealthCheckResponse_SERVING))
	}
	l.names.trim(len(report.Names))
	for _, result := range report.Checks {
		l.collectCheck(result, e)
	}
	l.checks.trim(len(report.Checks))
	l.measurements.trim(len(report.Checks))
	for i := range report.Breakers {
		l.collectBreaker(&report.Breakers[i], e)
	}
	l.breakers.trim(len(report.Breakers))
	for status := checker.Unknown; status <= checker.Critical; status++ {
		e.gauge(stateFamily, stateFamily.with(status.String()), boolValue(report.Overall == status))
	}
	for phase := servicer.Starting; phase <= servicer.Stopped; phase++ {
		e.gauge(phaseFamily, phaseFamily.with(phase.String()), boolValue(report.Phase == phase))
	}
	e.gauge(watchFamily, nil, float64(report.WatchStreams))
	e.gauge(infoFamily, infoFamily.with(report.Version), 1)
}

func (l *healthLabels) collectCheck(result *checker.Result, e *emitter) {
	of := l.checks.of(result.Name, newCheckLabels)
	for status, state := range of.states {
		e.gauge(checkStateFamily, state, boolValue(int(result.Status) == status))
		e.counter(runsFamily, of.statuses[status], result.Runs.ByStatus(checker.Status(status)))
	}
	e.gauge(failuresFamily, of.check, float64(result.Failures))
	if !result.LastSuccess.IsZero() {
		e.gauge(lastSuccessFamily, of.check, float64(result.LastSuccess.UnixNano())/1e9)
	}
	if result.Measurement != (checker.Measurement{}) {
		series := l.measurements.of([2]string{result.Name, result.Measurement.Unit}, func(key [2]string) labels {
			return measurementFamily.with(key[:]...)
		})
		e.gauge(measurementFamily, series, result.Measurement.Value)
	}
	h := e.newHistogram(durationFamily, of.service)
	h.sum = result.Runs.Sum.Seconds()
	i := 0
	for _, n := range result.Runs.Durations() {
		h.count += n
		if i < len(h.buckets) {
			h.buckets[i].cumulative = h.count
		}
		i++
	}
	e.metrics <- h
}

func (l *healthLabels) collectBreaker(b *breaker.Snapshot, e *emitter) {
	of := l.breakers.of(b.Name, newBreakerLabels)
	for state, series := range of.states {
		e.gauge(breakerStateFamily, series, boolValue(int(b.State) == state))
		e.counter(transitionsFamily, series, b.Transitions[breaker.State(state)])
	}
	for i, n := range [len(resultNames)]uint64{b.Calls.Failures, b.Calls.Neutral, b.Calls.Rejected, b.Calls.Successes} {
		e.counter(breakerCallsFamily, of.results[i], n)
	}
	e.counter(slowCallsFamily, of.breaker, b.Calls.Slow)
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
