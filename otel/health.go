package otelvitals

import (
	"strings"

	"go.opentelemetry.io/otel/metric"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// healthInstruments are those of the report.
type healthInstruments struct {
	serving, status, phase, watches               metric.Int64ObservableUpDownCounter
	checkStatus                                   metric.Int64ObservableUpDownCounter
	checkRuns                                     metric.Int64ObservableCounter
	checkFailures, checkSuccess, measurement      metric.Float64ObservableGauge
	breakerState                                  metric.Int64ObservableUpDownCounter
	breakerTransitions, breakerCalls, breakerSlow metric.Int64ObservableCounter
}

func newHealthInstruments(m *maker) *healthInstruments {
	return &healthInstruments{
		serving: m.level("vitals.serving", "{service}", "Whether a name of grpc.health.v1 serves: 1 or 0."),
		status:  m.level("vitals.status", "{process}", "Overall status of the report: 1 for the status that it is."),
		phase:   m.level("vitals.phase", "{process}", "Phase of the process: 1 for the phase that it is in."),
		watches: m.level("vitals.watch.streams", "{stream}", "Open Watch streams of grpc.health.v1."),

		checkStatus:   m.level("vitals.check.status", "{check}", "Status of a check: 1 for the status that it has."),
		checkRuns:     m.counter("vitals.check.runs", "{run}", "Runs of a check, by the status that they led to."),
		checkFailures: m.gauge("vitals.check.consecutive_failures", "{run}", "How many runs of a check have failed in a row."),
		checkSuccess:  m.gauge("vitals.check.last_success.time", "s", "When a check last passed, as Unix time."),
		measurement:   m.gauge("vitals.check.measurement", "", "The number that a check last measured, in its unit."),

		breakerState:       m.level("vitals.breaker.state", "{breaker}", "State of a circuit breaker: 1 for the state that it is in."),
		breakerTransitions: m.counter("vitals.breaker.transitions", "{transition}", "Transitions of a circuit breaker, by the state entered."),
		breakerCalls:       m.counter("vitals.breaker.calls", "{call}", "Calls through a circuit breaker, by result."),
		breakerSlow:        m.counter("vitals.breaker.slow_calls", "{call}", "Slow calls through a circuit breaker; each also has a result."),
	}
}

func (h *healthInstruments) observe(o metric.Observer, report *servicer.Report) {
	for i := range report.Names {
		n := &report.Names[i]
		o.ObserveInt64(h.serving, one(n.Status == healthpb.HealthCheckResponse_SERVING), with(word(keyService, n.Name)))
	}
	for status := checker.Unknown; status <= checker.Critical; status++ {
		o.ObserveInt64(h.status, one(report.Overall == status), with(keyStatus.String(status.String())))
	}
	for phase := servicer.Starting; phase <= servicer.Stopped; phase++ {
		o.ObserveInt64(h.phase, one(report.Phase == phase), with(keyPhase.String(phase.String())))
	}
	o.ObserveInt64(h.watches, int64(report.WatchStreams))
	for _, result := range report.Checks {
		h.observeCheck(o, result)
	}
	for i := range report.Breakers {
		h.observeBreaker(o, &report.Breakers[i])
	}
}

func (h *healthInstruments) observeCheck(o metric.Observer, result *checker.Result) {
	name := word(keyCheck, result.Name)
	for status := checker.Unknown; status <= checker.Critical; status++ {
		both := with(name, keyStatus.String(status.String()))
		o.ObserveInt64(h.checkStatus, one(result.Status == status), both)
		o.ObserveInt64(h.checkRuns, count(result.Runs.ByStatus(status)), both)
	}
	o.ObserveFloat64(h.checkFailures, float64(result.Failures), with(name))
	if !result.LastSuccess.IsZero() { // no value is truer than 1970
		o.ObserveFloat64(h.checkSuccess, float64(result.LastSuccess.UnixNano())/1e9, with(name))
	}
	if result.Measurement != (checker.Measurement{}) {
		o.ObserveFloat64(h.measurement, result.Measurement.Value, with(name, word(keyUnit, strings.TrimSpace(result.Measurement.Unit))))
	}
}

func (h *healthInstruments) observeBreaker(o metric.Observer, b *breaker.Snapshot) {
	name := word(keyBreaker, b.Name)
	for state := breaker.Closed; state <= breaker.Open; state++ {
		both := with(name, keyBreakerState.String(state.String()))
		o.ObserveInt64(h.breakerState, one(b.State == state), both)
		o.ObserveInt64(h.breakerTransitions, count(b.Transitions[state]), both)
	}
	for result, calls := range map[string]uint64{
		"success": b.Calls.Successes, "failure": b.Calls.Failures, "neutral": b.Calls.Neutral, "rejected": b.Calls.Rejected,
	} {
		o.ObserveInt64(h.breakerCalls, count(calls), with(name, keyBreakerResult.String(result)))
	}
	o.ObserveInt64(h.breakerSlow, count(b.Calls.Slow), with(name))
}
