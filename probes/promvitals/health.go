package promvitals

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

const (
	counter   = dto.MetricType_COUNTER
	gauge     = dto.MetricType_GAUGE
	histogram = dto.MetricType_HISTOGRAM
)

// The families of the report; read-only.
var (
	statusFamily       = newFamily(gauge, "health_status", "Whether a name of grpc.health.v1 serves: 1 or 0.", "service")
	stateFamily        = newFamily(gauge, "health_state", "Overall status of the report: 1 for the state it is in.", "state")
	phaseFamily        = newFamily(gauge, "health_phase", "Phase of the process: 1 for the phase it is in.", "phase")
	runsFamily         = newFamily(counter, "health_checks_total", "Runs of a check, by the status that they led to.", "service", "status")
	durationFamily     = newFamily(histogram, "health_check_duration_seconds", "How long the runs of a check took.", "service")
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
)

var healthFamilies = []*family{
	statusFamily, stateFamily, phaseFamily, runsFamily, durationFamily, checkStateFamily, lastSuccessFamily, failuresFamily,
	measurementFamily, breakerStateFamily, transitionsFamily, breakerCallsFamily, slowCallsFamily, watchFamily, infoFamily,
}

func collectReport(report *servicer.Report, metrics chan<- prometheus.Metric) {
	for _, name := range report.Names {
		metrics <- statusFamily.with(one(name.Status == healthpb.HealthCheckResponse_SERVING), name.Name)
	}
	for status := checker.Unknown; status <= checker.Critical; status++ {
		metrics <- stateFamily.with(one(report.Overall == status), status.String())
	}
	for phase := servicer.Starting; phase <= servicer.Stopped; phase++ {
		metrics <- phaseFamily.with(one(report.Phase == phase), phase.String())
	}
	for _, result := range report.Checks {
		collectCheck(result, metrics)
	}
	for i := range report.Breakers {
		collectBreaker(&report.Breakers[i], metrics)
	}
	metrics <- watchFamily.with(float64(report.WatchStreams))
	metrics <- infoFamily.with(1, report.Version)
}

func collectCheck(result *checker.Result, metrics chan<- prometheus.Metric) {
	for status := checker.Unknown; status <= checker.Critical; status++ {
		metrics <- checkStateFamily.with(one(result.Status == status), result.Name, status.String())
		metrics <- runsFamily.with(float64(result.Runs.ByStatus[status]), result.Name, status.String())
	}
	metrics <- failuresFamily.with(float64(result.Failures), result.Name)
	if !result.LastSuccess.IsZero() { // no value is truer than 1970
		metrics <- lastSuccessFamily.with(seconds(result.LastSuccess), result.Name)
	}
	if result.Measurement != (checker.Measurement{}) {
		metrics <- measurementFamily.with(result.Measurement.Value, result.Name, result.Measurement.Unit)
	}
	metrics <- durations(result)
}

func durations(result *checker.Result) prometheus.Metric {
	d := &distribution{
		family: durationFamily,
		pairs:  pairs(durationFamily.labels, []string{result.Name}),
		bounds: checker.DurationBounds[:],
		counts: make([]uint64, len(checker.DurationBounds)),
		sum:    result.Runs.Sum.Seconds(),
	}
	for i, n := range result.Runs.Durations {
		d.count += n
		if i < len(d.counts) {
			d.counts[i] = d.count
		}
	}
	return d
}

func collectBreaker(b *breaker.Snapshot, metrics chan<- prometheus.Metric) {
	for state := breaker.Closed; state <= breaker.Open; state++ {
		metrics <- breakerStateFamily.with(one(b.State == state), b.Name, state.String())
		metrics <- transitionsFamily.with(float64(b.Entered[state]), b.Name, state.String())
	}
	for _, result := range []struct {
		name  string
		calls uint64
	}{
		{"failure", b.Calls.Failures},
		{"neutral", b.Calls.Neutral},
		{"rejected", b.Calls.Rejected},
		{"success", b.Calls.Successes},
	} {
		metrics <- breakerCallsFamily.with(float64(result.calls), b.Name, result.name)
	}
	metrics <- slowCallsFamily.with(float64(b.Calls.Slow), b.Name)
}

func one(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }
