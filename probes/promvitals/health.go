package promvitals

import (
	"iter"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/wallclock"
	"github.com/vitals-go/vitals/servicer"
)

// The families of the report; read-only.
var (
	statusFamily       = newFamily(gauge, "health_status", "Whether a name of grpc.health.v1 serves: 1 or 0.", "service")
	stateFamily        = newFamily(gauge, "health_state", "Overall status of the report: 1 for the state it is in.", "state")
	standbyFamily      = newFamily(gauge, "health_standby", "1 while the process is out of traffic on purpose, else 0.")
	overrideFamily     = newFamily(gauge, "health_override", "1 while an override is in force, else 0.")
	shadowFamily       = newFamily(gauge, "health_shadow", "1 while checks or requests in shadow would keep a name from serving; else absent.", "service")
	configFamily       = newFamily(gauge, "health_config_info", "Always 1; processes of one configuration have the same hash. Absent without settings.", "hash")
	phaseFamily        = newFamily(gauge, "health_phase", "Phase of the process: 1 for the phase it is in.", "phase")
	runsFamily         = newFamily(counter, "health_checks_total", "Runs of a check, by the status that they led to.", "service", "status")
	durationFamily     = newHistogramFamily(checker.DurationBounds(), "health_check_duration_seconds", "How long the runs of a check took.", "service")
	checkStateFamily   = newFamily(gauge, "health_check_state", "Status of a check: 1 for the state it is in.", "check", "state")
	lastSuccessFamily  = newFamily(gauge, "health_check_last_success_timestamp_seconds", "When a check last passed, as Unix time.", "check")
	failuresFamily     = newFamily(gauge, "health_check_consecutive_failures", "How many runs of a check have failed in a row.", "check")
	measurementFamily  = newFamily(gauge, "health_measurement", "The number that a check last measured, in its unit.", "check", "unit")
	causedFamily       = newFamily(gauge, "health_check_caused", "1 while the failure of another check explains that of a check; else absent.", "cause", "check")
	valueFamily        = newFamily(gauge, "health_check_value", "A number that a check last reported beside its result.", "check", "name", "unit")
	breakerStateFamily = newFamily(gauge, "health_breaker_state", "State of a circuit breaker: 1 for the state it is in.", "breaker", "state")
	transitionsFamily  = newFamily(counter, "health_breaker_transitions_total", "Transitions of a circuit breaker, by the state entered.", "breaker", "state")
	breakerCallsFamily = newFamily(counter, "health_breaker_calls_total", "Calls through a circuit breaker, by result.", "breaker", "result")
	slowCallsFamily    = newFamily(counter, "health_breaker_slow_calls_total", "Slow calls through a circuit breaker; each also has a result.", "breaker")
	watchFamily        = newFamily(gauge, "health_watch_streams", "Open Watch streams of grpc.health.v1.")
	probesFamily       = newFamily(counter, "health_probes_total", "Health requests, by the kind of client, protocol and name or path.", "name", "prober", "protocol")
	probeStateFamily   = newFamily(gauge, "health_probe_state", "State of a prober: 1 for ok, unknown (the name does not exist) or stopped.", "name", "prober", "protocol", "state")
	infoFamily         = newFamily(gauge, "health_info", "Always 1; the version is a label.", "version")

	healthFamilies = []*family{
		statusFamily, stateFamily, phaseFamily, standbyFamily, overrideFamily, shadowFamily, configFamily, runsFamily, durationFamily, checkStateFamily, lastSuccessFamily, failuresFamily,
		measurementFamily, causedFamily, valueFamily, breakerStateFamily, transitionsFamily, breakerCallsFamily, slowCallsFamily, watchFamily,
		probesFamily, probeStateFamily, infoFamily,
	}
)

// healthLabels caches the labels of names that the application chooses.
type healthLabels struct {
	names        labelCache[string, labels]
	checks       labelCache[string, *checkLabels]
	measurements labelCache[[2]string, labels]
	values       labelCache[[3]string, labels]
	breakers     labelCache[string, *breakerLabels]
	probers      labelCache[[3]string, *proberLabels]
}

func (l *healthLabels) collect(report *servicer.Report, e *emitter) {
	ofName := func(name string) labels { return statusFamily.with(name) }
	for name := range distinct(report.Names, func(n servicer.ServingName) string { return n.Name }) {
		e.gauge(statusFamily, l.names.of(name.Name, ofName), boolValue(name.Status == healthpb.HealthCheckResponse_SERVING))
	}
	for name := range distinct(report.Shadow, func(n servicer.ServingName) string { return n.Name }) {
		e.gauge(shadowFamily, shadowFamily.with(name.Name), 1)
	}
	l.names.trim(len(report.Names))
	for result := range distinct(report.Checks, func(c *checker.Result) string { return c.Name }) {
		l.collectCheck(*result, e)
	}
	l.checks.trim(len(report.Checks))
	l.measurements.trim(len(report.Checks))
	l.values.trim(l.collectValues(report.Checks, e))
	for b := range distinct(report.Breakers, func(b breaker.Snapshot) string { return b.Name }) {
		l.collectBreaker(b, e)
	}
	l.breakers.trim(len(report.Breakers))
	for status := checker.Unknown; status <= checker.Critical; status++ {
		e.gauge(stateFamily, stateFamily.with(status.String()), boolValue(report.Overall == status))
	}
	for phase := servicer.Starting; phase <= servicer.Stopped; phase++ {
		e.gauge(phaseFamily, phaseFamily.with(phase.String()), boolValue(report.Phase == phase))
	}
	e.gauge(standbyFamily, nil, boolValue(report.Standby))
	override, found := report.Metric("override")
	e.gauge(overrideFamily, nil, boolValue(found && override.Value == "in_force"))
	e.gauge(watchFamily, nil, float64(report.WatchStreams))
	for i := range report.Probers {
		l.collectProber(&report.Probers[i], e)
	}
	l.probers.trim(len(report.Probers))
	if report.ConfigHash != "" {
		e.gauge(configFamily, configFamily.with(report.ConfigHash), 1)
	}
	e.gauge(infoFamily, infoFamily.with(report.Version), 1)
}

func (l *healthLabels) collectCheck(result *checker.Result, e *emitter) {
	of := l.checks.of(result.Name, newCheckLabels)
	e.setCreatedOr(result.Runs.Since)
	for status, state := range of.states {
		e.gauge(checkStateFamily, state, boolValue(int(result.Status) == status))
		e.counter(runsFamily, of.statuses[status], result.Runs.ByStatus(checker.Status(status)))
	}
	e.gauge(failuresFamily, of.check, float64(result.Failures))
	if result.CausedBy != "" {
		e.gauge(causedFamily, causedFamily.with(result.CausedBy, result.Name), 1)
	}
	if !result.LastSuccess.IsZero() {
		e.gauge(lastSuccessFamily, of.check, float64(wallclock.On(time.Now(), result.LastSuccess).UnixNano())/1e9)
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

// collectValues returns how many there are.
func (l *healthLabels) collectValues(checks []*checker.Result, e *emitter) (n int) {
	for result := range distinct(checks, func(c *checker.Result) string { return c.Name }) {
		for v := range distinct((*result).Values, func(v checker.Value) string { return v.Name }) {
			key := [...]string{(*result).Name, v.Name, v.Unit}
			e.gauge(valueFamily, l.values.of(key, func(key [3]string) labels { return valueFamily.with(key[:]...) }), v.Number)
			n++
		}
	}
	return n
}

func (l *healthLabels) collectBreaker(b *breaker.Snapshot, e *emitter) {
	of := l.breakers.of(b.Name, newBreakerLabels)
	e.setCreatedOr(b.Created)
	for state, series := range of.states {
		e.gauge(breakerStateFamily, series, boolValue(int(b.State) == state))
		e.counter(transitionsFamily, series, b.Transitions[breaker.State(state)])
	}
	for i, n := range [len(resultNames)]uint64{b.Calls.Failures, b.Calls.Neutral, b.Calls.Rejected, b.Calls.Successes} {
		e.counter(breakerCallsFamily, of.results[i], n)
	}
	e.counter(slowCallsFamily, of.breaker, b.Calls.Slow)
}

func (l *healthLabels) collectProber(p *servicer.Prober, e *emitter) {
	of := l.probers.of([3]string{p.Name, p.Kind, p.Protocol}, newProberLabels)
	e.counter(probesFamily, of.prober, p.Requests)
	for i, state := range proberStateNames {
		e.gauge(probeStateFamily, of.states[i], boolValue(p.State() == state))
	}
}

// distinct yields the first element of each name. Those of a servicer.Server differ; another source's that do not would fail
// the whole scrape.
func distinct[T any](sorted []T, name func(T) string) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for i := range sorted {
			if (i == 0 || name(sorted[i]) != name(sorted[i-1])) && !yield(&sorted[i]) {
				return
			}
		}
	}
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
