package promvitals

import (
	"time"

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
	durationFamily     = newFamily(histogram, "health_check_duration_seconds", "How long the runs of a check took.", "service").over(checker.DurationBounds[:])
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

	healthFamilies = placed(0,
		statusFamily, stateFamily, phaseFamily, runsFamily, durationFamily, checkStateFamily, lastSuccessFamily, failuresFamily,
		measurementFamily, breakerStateFamily, transitionsFamily, breakerCallsFamily, slowCallsFamily, watchFamily, infoFamily,
	)
)

// healthLabels are the labels of the report, kept from one scrape to the next. Names come and go, words do not.
type healthLabels struct {
	names        labelCache[string, *labels]
	checks       labelCache[string, *checkLabels]
	measurements labelCache[[2]string, *labels]
	breakers     labelCache[string, *breakerLabels]
	states       labelCache[checker.Status, *labels]
	phases       labelCache[servicer.Phase, *labels]
	versions     labelCache[string, *labels]
}

// scrape is one collection of a report.
type scrape struct {
	sink

	labels    *healthLabels
	durations *spread // of one check after the other
}

func (l *healthLabels) collect(report *servicer.Report, to sink) {
	s := &scrape{sink: to, labels: l, durations: newSpread(durationFamily)}
	ofName := func(name string) *labels { return statusFamily.with(name) }
	for _, name := range report.Names {
		s.level(statusFamily, l.names.of(name.Name, ofName), one(name.Status == healthpb.HealthCheckResponse_SERVING))
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
	s.level(watchFamily, watchFamily.with(), float64(report.WatchStreams))
}

// words exports what there is one of.
func (s *scrape) words(report *servicer.Report) {
	for status := checker.Unknown; status <= checker.Critical; status++ {
		l := s.labels.states.of(status, func(status checker.Status) *labels { return stateFamily.with(status.String()) })
		s.level(stateFamily, l, one(report.Overall == status))
	}
	for phase := servicer.Starting; phase <= servicer.Stopped; phase++ {
		l := s.labels.phases.of(phase, func(phase servicer.Phase) *labels { return phaseFamily.with(phase.String()) })
		s.level(phaseFamily, l, one(report.Phase == phase))
	}
	s.level(infoFamily, s.labels.versions.of(report.Version, func(version string) *labels { return infoFamily.with(version) }), 1)
}

func (s *scrape) check(result *checker.Result) {
	l := s.labels.checks.of(result.Name, newCheckLabels)
	for _, status := range [...]checker.Status{checker.Critical, checker.Healthy, checker.Unknown, checker.Warning} { // by name: see byCode
		s.level(checkStateFamily, l.states[status], one(result.Status == status))
		s.count(runsFamily, l.statuses[status], result.Runs.ByStatus[status], nil)
	}
	s.level(failuresFamily, l.plain, float64(result.Failures))
	if !result.LastSuccess.IsZero() { // no value is truer than 1970
		s.level(lastSuccessFamily, l.plain, seconds(result.LastSuccess))
	}
	if result.Measurement != (checker.Measurement{}) {
		l := s.labels.measurements.of([2]string{result.Name, result.Measurement.Unit}, func(key [2]string) *labels {
			return measurementFamily.with(key[:]...)
		})
		s.level(measurementFamily, l, result.Measurement.Value)
	}
	s.spread(durationFamily, l.service, s.durationsOf(&result.Runs))
}

func (s *scrape) durationsOf(runs *checker.Runs) *spread {
	d := s.durations
	d.count, d.sum = 0, runs.Sum.Seconds()
	for i, n := range runs.Durations {
		d.count += n
		if i < len(d.cumulative) {
			d.cumulative[i] = d.count
		}
	}
	return d
}

func (s *scrape) breaker(b *breaker.Snapshot) {
	l := s.labels.breakers.of(b.Name, newBreakerLabels)
	for state := range l.states {
		s.level(breakerStateFamily, l.states[state], one(int(b.State) == state))
		s.count(transitionsFamily, l.states[state], b.Entered[state], nil)
	}
	for i, n := range [len(resultNames)]uint64{b.Calls.Failures, b.Calls.Neutral, b.Calls.Rejected, b.Calls.Successes} {
		s.count(breakerCallsFamily, l.results[i], n, nil)
	}
	s.count(slowCallsFamily, l.plain, b.Calls.Slow, nil)
}

func one(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }
