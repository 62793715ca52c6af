package promvitals

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/timestamppb"

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

	healthFamilies = [...]*family{
		statusFamily, stateFamily, phaseFamily, runsFamily, durationFamily, checkStateFamily, lastSuccessFamily, failuresFamily,
		measurementFamily, breakerStateFamily, transitionsFamily, breakerCallsFamily, slowCallsFamily, watchFamily, infoFamily,
	}
)

// healthLabels are the labels of the report, kept from one scrape to the next. Names come and go, words do not.
type healthLabels struct {
	names        labelCache[string, []*dto.LabelPair]
	checks       labelCache[string, *checkLabels]
	measurements labelCache[[2]string, []*dto.LabelPair]
	breakers     labelCache[string, *breakerLabels]
	states       labelCache[checker.Status, []*dto.LabelPair]
	phases       labelCache[servicer.Phase, []*dto.LabelPair]
	versions     labelCache[string, []*dto.LabelPair]
}

// scrape is one collection of a report.
type scrape struct {
	labels  *healthLabels
	since   *timestamppb.Timestamp // when the process began, and with it every counter
	metrics chan<- prometheus.Metric
}

func (s *scrape) level(f *family, value float64, pairs []*dto.LabelPair) {
	s.metrics <- &level{family: f, pairs: pairs, value: value}
}

func (s *scrape) count(f *family, value uint64, pairs []*dto.LabelPair) {
	s.metrics <- &count{family: f, pairs: pairs, value: float64(value), since: s.since}
}

func (l *healthLabels) collect(report *servicer.Report, metrics chan<- prometheus.Metric) {
	s := &scrape{labels: l, metrics: metrics}
	if !report.Started.IsZero() {
		s.since = timestamppb.New(report.Started)
	}
	ofName := func(name string) []*dto.LabelPair { return statusFamily.pairs(name) }
	for _, name := range report.Names {
		s.level(statusFamily, one(name.Status == healthpb.HealthCheckResponse_SERVING), l.names.of(name.Name, ofName))
	}
	l.names.trim(len(report.Names))
	s.words(report)
	for _, result := range report.Checks {
		s.check(result)
	}
	l.checks.trim(len(report.Checks))
	l.measurements.trim(len(report.Checks))
	for i := range report.Breakers {
		s.breaker(&report.Breakers[i])
	}
	l.breakers.trim(len(report.Breakers))
	s.level(watchFamily, float64(report.WatchStreams), nil)
}

// words exports what there is one of.
func (s *scrape) words(report *servicer.Report) {
	for status := checker.Unknown; status <= checker.Critical; status++ {
		pairs := s.labels.states.of(status, func(status checker.Status) []*dto.LabelPair { return stateFamily.pairs(status.String()) })
		s.level(stateFamily, one(report.Overall == status), pairs)
	}
	for phase := servicer.Starting; phase <= servicer.Stopped; phase++ {
		pairs := s.labels.phases.of(phase, func(phase servicer.Phase) []*dto.LabelPair { return phaseFamily.pairs(phase.String()) })
		s.level(phaseFamily, one(report.Phase == phase), pairs)
	}
	s.level(infoFamily, 1, s.labels.versions.of(report.Version, func(version string) []*dto.LabelPair { return infoFamily.pairs(version) }))
}

func (s *scrape) check(result *checker.Result) {
	labels := s.labels.checks.of(result.Name, newCheckLabels)
	for _, status := range [...]checker.Status{checker.Critical, checker.Healthy, checker.Unknown, checker.Warning} { // by name: see byCode
		s.level(checkStateFamily, one(result.Status == status), labels.states[status])
		s.count(runsFamily, result.Runs.ByStatus[status], labels.statuses[status])
	}
	s.level(failuresFamily, float64(result.Failures), labels.plain)
	if !result.LastSuccess.IsZero() { // no value is truer than 1970
		s.level(lastSuccessFamily, seconds(result.LastSuccess), labels.plain)
	}
	if result.Measurement != (checker.Measurement{}) {
		pairs := s.labels.measurements.of([2]string{result.Name, result.Measurement.Unit}, func(key [2]string) []*dto.LabelPair {
			return measurementFamily.pairs(key[:]...)
		})
		s.level(measurementFamily, result.Measurement.Value, pairs)
	}
	s.durations(result, labels.service)
}

func (s *scrape) durations(result *checker.Result, pairs []*dto.LabelPair) {
	d := &distribution{
		family: durationFamily, pairs: pairs, bars: newBars(checker.DurationBounds[:]), sum: result.Runs.Sum.Seconds(), since: s.since,
	}
	for i, n := range result.Runs.Durations {
		d.count += n
		if i < len(d.bars) {
			d.bars[i].cumulative = d.count
		}
	}
	s.metrics <- d
}

func (s *scrape) breaker(b *breaker.Snapshot) {
	labels := s.labels.breakers.of(b.Name, newBreakerLabels)
	for state := range labels.states {
		s.level(breakerStateFamily, one(int(b.State) == state), labels.states[state])
		s.count(transitionsFamily, b.Entered[state], labels.states[state])
	}
	for i, n := range [len(resultNames)]uint64{b.Calls.Failures, b.Calls.Neutral, b.Calls.Rejected, b.Calls.Successes} {
		s.count(breakerCallsFamily, n, labels.results[i])
	}
	s.count(slowCallsFamily, b.Calls.Slow, labels.plain)
}

func one(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }
