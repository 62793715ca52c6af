package otelvitals

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/wallclock"
	"github.com/vitals-go/vitals/servicer"
)

// healthInstruments export a report.
type healthInstruments struct {
	serving, status, phase, standby, override, shadow, watches metric.Int64ObservableUpDownCounter
	checkStatus, checkCaused                                   metric.Int64ObservableUpDownCounter
	checkRuns                                                  *counter
	checkFailures, checkSuccess                                metric.Float64ObservableGauge
	measurement, value                                         metric.Float64ObservableGauge
	breakerState                                               metric.Int64ObservableUpDownCounter
	breakerTransitions, breakerCalls, breakerSlow              *counter
	probes                                                     *counter
	probeState                                                 metric.Int64ObservableUpDownCounter
}

func newHealthInstruments(b *builder) *healthInstruments {
	return &healthInstruments{
		serving:  b.upDown("vitals.serving", "{service}", "Whether a name of grpc.health.v1 serves: 1 or 0."),
		status:   b.upDown("vitals.status", "{process}", "Overall status of the report: 1 for the current one."),
		phase:    b.upDown("vitals.phase", "{process}", "Phase of the process: 1 for the current one."),
		standby:  b.upDown("vitals.standby", "{process}", "1 while the process is out of traffic on purpose, else 0."),
		override: b.upDown("vitals.override", "{process}", "1 while an override is in force, else 0."),
		shadow:   b.upDown("vitals.shadow", "{service}", "1 while what is in shadow would keep a name from serving; else absent."),
		watches:  b.upDown("vitals.watch.streams", "{stream}", "Open Watch streams of grpc.health.v1."),

		probes:     b.counter("vitals.probes", "{request}", "Health requests, by the kind of client, protocol and name or path."),
		probeState: b.upDown("vitals.probe.state", "{prober}", "State of a prober: 1 for ok, unknown (the name does not exist) or stopped."),

		checkStatus:   b.upDown("vitals.check.status", "{check}", "Status of a check: 1 for the current one."),
		checkCaused:   b.upDown("vitals.check.caused", "{check}", "1 while the failure of another check explains that of a check; else absent."),
		checkRuns:     b.counter("vitals.check.runs", "{run}", "Runs of a check, by the status that they led to."),
		checkFailures: b.gauge("vitals.check.consecutive_failures", "{run}", "Failed runs of a check in a row."),
		checkSuccess:  b.gauge("vitals.check.last_success.time", "s", "When a check last passed, as Unix time."),
		measurement:   b.gauge("vitals.check.measurement", "", "The number that a check last measured, in its unit."),
		value:         b.gauge("vitals.check.value", "", "A number that a check last reported beside its result."),

		breakerState:       b.upDown("vitals.breaker.state", "{breaker}", "State of a circuit breaker: 1 for the current one."),
		breakerTransitions: b.counter("vitals.breaker.transitions", "{transition}", "Transitions of a circuit breaker, by the state entered."),
		breakerCalls:       b.counter("vitals.breaker.calls", "{call}", "Calls through a circuit breaker, by result."),
		breakerSlow:        b.counter("vitals.breaker.slow_calls", "{call}", "Slow calls through a circuit breaker; each also has a result."),
	}
}

func (h *healthInstruments) observe(ctx context.Context, o observer, report *servicer.Report) {
	for i := range report.Names {
		n := &report.Names[i]
		o.ObserveInt64(h.serving, boolValue(n.Status == healthpb.HealthCheckResponse_SERVING), with(validString(keyService, n.Name)))
	}
	for status := checker.Unknown; status <= checker.Critical; status++ {
		o.ObserveInt64(h.status, boolValue(report.Overall == status), with(keyStatus.String(status.String())))
	}
	for phase := servicer.Starting; phase <= servicer.Stopped; phase++ {
		o.ObserveInt64(h.phase, boolValue(report.Phase == phase), with(keyPhase.String(phase.String())))
	}
	o.ObserveInt64(h.standby, boolValue(report.Standby))
	for i := range report.Shadow {
		o.ObserveInt64(h.shadow, 1, with(validString(keyService, report.Shadow[i].Name)))
	}
	override, found := report.Metric("override")
	o.ObserveInt64(h.override, boolValue(found && override.Value == "in_force"))
	o.ObserveInt64(h.watches, int64(report.WatchStreams))
	for i := range report.Probers {
		h.observeProber(ctx, o, &report.Probers[i])
	}
	for _, result := range report.Checks {
		h.observeCheck(ctx, o, result)
	}
	for i := range report.Breakers {
		h.observeBreaker(ctx, o, &report.Breakers[i])
	}
	// The breakers of a source that panics are missing; their counts continue afterwards.
	_, missing := report.Metric("circuit_breakers")
	for _, c := range h.counters() {
		c.collected(missing && c != h.checkRuns && c != h.probes)
	}
}

func (h *healthInstruments) counters() []*counter {
	return []*counter{h.probes, h.checkRuns, h.breakerTransitions, h.breakerCalls, h.breakerSlow}
}

func (h *healthInstruments) restart() {
	for _, c := range h.counters() {
		c.restart()
	}
}

func (h *healthInstruments) observeCheck(ctx context.Context, o observer, result *checker.Result) {
	name := validString(keyCheck, result.Name)
	for status := checker.Unknown; status <= checker.Critical; status++ {
		both := set(name, keyStatus.String(status.String()))
		o.ObserveInt64(h.checkStatus, boolValue(result.Status == status), metric.WithAttributeSet(both))
		h.checkRuns.count(ctx, result.Runs.ByStatus(status), both)
	}
	if result.CausedBy != "" {
		o.ObserveInt64(h.checkCaused, 1, with(name, validString(keyCause, result.CausedBy)))
	}
	o.ObserveFloat64(h.checkFailures, float64(result.Failures), with(name))
	if !result.LastSuccess.IsZero() {
		o.ObserveFloat64(h.checkSuccess, float64(wallclock.On(time.Now(), result.LastSuccess).UnixNano())/1e9, with(name))
	}
	if result.Measurement != (checker.Measurement{}) {
		o.ObserveFloat64(h.measurement, result.Measurement.Value, with(name, validString(keyUnit, result.Measurement.Unit)))
	}
	for _, v := range result.Values {
		o.ObserveFloat64(h.value, v.Number, with(name, validString(keyValue, v.Name), validString(keyUnit, v.Unit)))
	}
}

func (h *healthInstruments) observeProber(ctx context.Context, o observer, p *servicer.Prober) {
	who := []attribute.KeyValue{keyProber.String(p.Kind), keyProtocol.String(p.Protocol), validString(keyService, p.Name)}
	h.probes.count(ctx, p.Requests, set(who...))
	for _, state := range []string{"ok", "unknown", "stopped"} {
		o.ObserveInt64(h.probeState, boolValue(p.State() == state), with(append(who, keyProbeState.String(state))...))
	}
}

func (h *healthInstruments) observeBreaker(ctx context.Context, o observer, b *breaker.Snapshot) {
	name := validString(keyBreaker, b.Name)
	for state := breaker.Closed; state <= breaker.Open; state++ {
		both := set(name, keyBreakerState.String(state.String()))
		o.ObserveInt64(h.breakerState, boolValue(b.State == state), metric.WithAttributeSet(both))
		h.breakerTransitions.count(ctx, b.Transitions[state], both)
	}
	for result, calls := range map[string]uint64{
		"success": b.Calls.Successes, "failure": b.Calls.Failures, "neutral": b.Calls.Neutral, "rejected": b.Calls.Rejected,
	} {
		h.breakerCalls.count(ctx, calls, set(name, keyBreakerResult.String(result)))
	}
	h.breakerSlow.count(ctx, b.Calls.Slow, set(name))
}
