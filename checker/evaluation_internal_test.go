package checker

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
)

// model evaluates a whole history at once by the documented rules.
type model struct{ rules rules }

func (m model) evaluate(history []outcome) (Status, Reason, string) {
	withoutResult := Unknown
	if m.rules.optional {
		withoutResult = Warning
	}
	status, reason, value := withoutResult, ReasonNotRunYet, ""
	for i, t := range history {
		past := history[:i+1]
		s, r, v := m.single(past)
		recovering := m.recovering(past)
		switch {
		case t.event == starved:
			reason = ReasonStarved
			if status == Healthy {
				status = Warning
			}
		case t.event == inconclusive:
			status, reason = withoutResult, ReasonStale
		case s == Critical || !m.good(past):
			reason, value = r, v
			status = s
			if m.everDown(past) {
				status = Critical
			}
			if m.rules.optional {
				status = min(status, Warning)
			}
		case recovering:
			if reason == ReasonThreshold {
				value = v
			}
		default:
			status, reason, value = s, r, v
		}
	}
	return status, reason, value
}

// single grades the last event by thresholds, as if nothing had been wrong before the present row of events.
func (m model) single(past []outcome) (Status, Reason, string) {
	graded := func(reached bool) Status {
		if reached {
			return Critical
		}
		return Warning
	}
	row := m.row(past)
	switch t := past[len(past)-1]; t.event {
	case passed, degraded:
		works, reason, word := Healthy, ReasonOK, "available"
		if t.event == degraded {
			works, reason, word = Warning, ReasonDegraded, "degraded"
		}
		if !t.measured {
			return works, reason, word
		}
		switch v := formatNumber(t.measurement.Value); m.level(past) {
		case Critical:
			return graded(row >= m.rules.failures), ReasonThreshold, v
		case Warning:
			if t.event == degraded {
				return works, reason, v
			}
			return Warning, ReasonThreshold, v
		default:
			return works, reason, v
		}
	case failed:
		if m.rules.measures {
			return graded(row >= m.rules.failures), ReasonError, "error"
		}
		return graded(row >= m.rules.failures), ReasonError, "unavailable"
	case timedOut:
		return graded(m.timeouts(past) >= m.rules.timeouts), ReasonTimeout, "timeout"
	case panicked:
		return Critical, ReasonPanic, "error"
	default:
		return Critical, ReasonCircuitOpen, "circuit_open"
	}
}

// level replays the measurements alone.
func (m model) level(past []outcome) Status {
	level := Healthy
	warning, critical := m.rules.warning.Value(), m.rules.critical.Value()
	for _, p := range past {
		if p.event != passed && p.event != degraded || !p.measured {
			continue
		}
		const falls = 0.95
		switch {
		case p.measurement.Value > critical, level == Critical && p.measurement.Value >= critical*falls:
			level = Critical
		case p.measurement.Value > warning, level != Healthy && p.measurement.Value >= warning*falls:
			level = Warning
		default:
			level = Healthy
		}
	}
	return level
}

func (m model) good(past []outcome) bool {
	t := past[len(past)-1]
	return (t.event == passed || t.event == degraded) && (!t.measured || m.level(past) != Critical)
}

// row counts the failures at the end. What starves proves nothing.
func (m model) row(past []outcome) int {
	n := 0
	for i := len(past); i > 0; i-- {
		switch {
		case past[i-1].event == starved:
		case m.good(past[:i]):
			return n
		default:
			n++
		}
	}
	return n
}

func (m model) timeouts(past []outcome) int {
	n := 0
	for _, t := range slices.Backward(past) {
		switch t.event {
		case starved:
		case timedOut:
			n++
		default:
			return n
		}
	}
	return n
}

// everDown reports whether the thresholds were reached at a moment since which there was no recovery.
func (m model) everDown(past []outcome) bool {
	down, row := false, 0
	var result, stale bool // there was a result, and it has become stale
	for i := range past {
		t := past[i]
		switch {
		case t.event == starved:
		case t.event == inconclusive:
			row, stale = 0, result && !m.rules.optional
		case m.good(past[:i+1]):
			if row++; row >= m.rules.successes {
				down = false
			}
			result, stale = true, stale && down
		default:
			s, _, _ := m.single(past[:i+1])
			down = down || s == Critical || stale
			row, result, stale = 0, true, false
		}
	}
	return down
}

// recovering reports whether the last event is a success that is not enough.
func (m model) recovering(past []outcome) bool {
	return m.good(past) && m.everDown(past)
}

// FuzzEvaluation evaluates a history and compares each step with the model.
func FuzzEvaluation(f *testing.F) {
	f.Add(uint64(1), []byte{1, 0, 2, 2, 2, 0, 0, 3, 5, 6})
	f.Add(uint64(2), []byte{7, 17, 27, 1, 7, 37, 47, 57})
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 1))
		// Few kinds of events at a time, or the harsh ones hide the mild ones.
		kinds := []byte{byte(random.IntN(9)), byte(random.IntN(9)), byte(random.IntN(9))}
		history := make([]byte, random.IntN(40))
		for i := range history {
			history[i] = kinds[random.IntN(3)] + byte(cancelled)*byte(random.IntN(32))
		}
		f.Add(random.Uint64(), history)
	}
	f.Fuzz(func(t *testing.T, config uint64, script []byte) {
		if len(script) > 60 {
			script = script[:60]
		}
		r := rules{
			failures: 1 + int(config%4), timeouts: 1 + int(config/4%4), successes: 1 + int(config/16%3),
			optional: config/64%2 == 1, measures: config/128%2 == 1,
		}
		if r.measures {
			r.warning, r.critical = Above(64), Above(80)
		}
		v := evaluation{status: r.check().withoutResult()}
		var history []outcome
		for _, b := range script {
			event := outcome{event: event(b % uint8(cancelled))}
			if r.measures && (event.event == passed || event.event == degraded && b&8 == 0) {
				event.measured, event.measurement = true, Measurement{Value: float64(b/uint8(cancelled)) * 2.5, Unit: "%"}
			}
			history = append(history, event)
			v = v.after(&event, r.check())
			status, reason, value := model{r}.evaluate(history)
			if v.status != status || v.reason != reason || v.value != value {
				t.Fatalf("rules %+v\nhistory %v\ngot  %v %v %q\nwant %v %v %q",
					r, history, v.status, v.reason, v.value, status, reason, value)
			}
			if r.optional && v.status == Critical {
				t.Fatalf("an optional check is critical after %v", history)
			}
		}
	})
}

func TestEvaluations(t *testing.T) {
	defaults := rules{failures: 1, timeouts: 3, successes: 1}
	patient := rules{failures: 3, timeouts: 3, successes: 2}
	optional := defaults
	optional.optional = true
	tests := []struct {
		name   string
		rules  rules
		events []event
		status Status
		reason Reason
		value  string
	}{
		{"not run yet", defaults, nil, Unknown, ReasonNotRunYet, ""},
		{"first success", patient, []event{passed}, Healthy, ReasonOK, "available"},
		{"error", defaults, []event{failed}, Critical, ReasonError, "unavailable"},
		{"optional error", optional, []event{failed}, Warning, ReasonError, "unavailable"},
		{"below the failure threshold", patient, []event{passed, failed, failed}, Warning, ReasonError, "unavailable"},
		{"at the failure threshold", patient, []event{passed, failed, failed, failed}, Critical, ReasonError, "unavailable"},
		{"failures not in a row", patient, []event{failed, failed, passed, failed}, Warning, ReasonError, "unavailable"},
		{"warning needs one success", patient, []event{failed, failed, passed}, Healthy, ReasonOK, "available"},
		{"critical keeps all until recovered", patient, []event{failed, failed, failed, passed}, Critical, ReasonError, "unavailable"},
		{"recovered", patient, []event{failed, failed, failed, passed, passed}, Healthy, ReasonOK, "available"},
		{"two timeouts", defaults, []event{timedOut, timedOut}, Warning, ReasonTimeout, "timeout"},
		{"three timeouts", defaults, []event{timedOut, timedOut, timedOut}, Critical, ReasonTimeout, "timeout"},
		{"timeouts not in a row", rules{failures: 9, timeouts: 2, successes: 1}, []event{timedOut, failed, timedOut}, Warning, ReasonTimeout, "timeout"},
		{"optional timeouts", optional, []event{timedOut, timedOut, timedOut, timedOut}, Warning, ReasonTimeout, "timeout"},
		{"timeout does not heal an error", defaults, []event{failed, timedOut}, Critical, ReasonTimeout, "timeout"},
		{"panic knows no threshold", patient, []event{panicked}, Critical, ReasonPanic, "error"},
		{"optional panic", optional, []event{panicked}, Warning, ReasonPanic, "error"},
		{"breaker knows no threshold", patient, []event{passed, rejected}, Critical, ReasonCircuitOpen, "circuit_open"},
		{"optional breaker", optional, []event{rejected}, Warning, ReasonCircuitOpen, "circuit_open"},
		{"stale keeps the value", defaults, []event{passed, inconclusive}, Unknown, ReasonStale, "available"},
		{"stale counts as a failure", rules{failures: 2, timeouts: 3, successes: 1}, []event{inconclusive, failed}, Critical, ReasonError, "unavailable"},
		{"failure after a stale result", patient, []event{passed, inconclusive, failed}, Critical, ReasonError, "unavailable"},
		{"timeout after a stale result", defaults, []event{passed, timedOut, inconclusive, timedOut}, Critical, ReasonTimeout, "timeout"},
		{"timeout after a stale and a starved result", defaults, []event{passed, inconclusive, starved, timedOut}, Critical, ReasonTimeout, "timeout"},
		{"failure without any result before", patient, []event{inconclusive, failed}, Warning, ReasonError, "unavailable"},
		{"optional failure after a stale result", optional, []event{passed, inconclusive, failed}, Warning, ReasonError, "unavailable"},
		{"recovered after a stale result and a failure", patient, []event{passed, inconclusive, failed, passed, passed}, Healthy, ReasonOK, "available"},
		{"starved warns", defaults, []event{passed, starved}, Warning, ReasonStarved, "available"},
		{"starved heals nothing", defaults, []event{failed, starved}, Critical, ReasonStarved, "unavailable"},
		{"starved is no evidence", defaults, []event{starved}, Unknown, ReasonStarved, ""},
		{"optional starved is no evidence", optional, []event{starved}, Warning, ReasonStarved, ""},
		{"degraded", defaults, []event{degraded}, Warning, ReasonDegraded, "degraded"},
		{"degraded is a success", patient, []event{failed, failed, failed, degraded, degraded}, Warning, ReasonDegraded, "degraded"},
		{"degraded ends a row of failures", patient, []event{failed, failed, degraded, failed}, Warning, ReasonError, "unavailable"},
		{"degraded, then healthy", patient, []event{degraded, passed}, Healthy, ReasonOK, "available"},
		{"starved after degraded", defaults, []event{degraded, starved}, Warning, ReasonStarved, "degraded"},
		{"stale after degraded", defaults, []event{degraded, inconclusive}, Unknown, ReasonStale, "degraded"},
		{"starved is no failure", rules{failures: 2, timeouts: 3, successes: 1}, []event{starved, failed}, Warning, ReasonError, "unavailable"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := evaluation{status: test.rules.check().withoutResult()}
			for _, e := range test.events {
				v = v.after(&outcome{event: e}, test.rules.check())
			}
			if v.status != test.status || v.reason != test.reason || v.value != test.value {
				t.Fatalf("got %v %v %q, want %v %v %q", v.status, v.reason, v.value, test.status, test.reason, test.value)
			}
		})
	}
}

func TestLevelOfAMeasurement(t *testing.T) {
	cpu := rules{warning: Above(64), critical: Above(80)}
	free := rules{warning: Below(20), critical: Below(10)}
	tests := []struct {
		name   string
		r      rules
		value  float64
		unit   string
		before Status
		want   Status
	}{
		{"low", cpu, 10, "%", Unknown, Healthy},
		{"on the warning limit", cpu, 64, "%", Healthy, Healthy},
		{"above the warning limit", cpu, 64.1, "%", Healthy, Warning},
		{"on the critical limit", cpu, 80, "%", Warning, Warning},
		{"above the critical limit", cpu, 80.1, "%", Healthy, Critical},
		{"critical holds", cpu, 76, "%", Critical, Critical},
		{"critical ends", cpu, 75.9, "%", Critical, Warning},
		{"warning holds", cpu, 60.8, "%", Warning, Warning},
		{"warning ends", cpu, 60.7, "%", Warning, Healthy},
		{"critical to warning by hysteresis", cpu, 61, "%", Critical, Warning},
		{"critical to healthy", cpu, 10, "%", Critical, Healthy},
		{"no limits", rules{}, 1e9, "%", Healthy, Healthy},
		{"no warning", rules{critical: Above(80)}, 79, "%", Healthy, Healthy},
		{"no hysteresis", rules{warning: Above(64), critical: Above(80).Hysteresis(0)}, 79.9, "%", Critical, Warning},
		{"no hysteresis, on the limit", rules{critical: Above(80).Hysteresis(0)}, 80, "%", Critical, Healthy},
		{"wide hysteresis", rules{critical: Above(80).Hysteresis(0.5)}, 40, "%", Critical, Critical},
		{"warning alone", rules{warning: Above(5)}, 1e9, "%", Healthy, Warning},
		{"above 0", rules{critical: Above(0)}, 0.1, "%", Healthy, Critical},
		{"back on 0", rules{critical: Above(0)}, 0, "%", Critical, Healthy},
		{"above a negative number", rules{critical: Above(-10)}, -10.4, "%", Critical, Critical},
		{"well below a negative number", rules{critical: Above(-10)}, -10.6, "%", Critical, Healthy},
		{"high", free, 50, "%", Unknown, Healthy},
		{"on the lower warning limit", free, 20, "%", Healthy, Healthy},
		{"below the warning limit", free, 19.9, "%", Healthy, Warning},
		{"below the critical limit", free, 9.9, "%", Healthy, Critical},
		{"critical below holds", free, 10.5, "%", Critical, Critical},
		{"critical below ends", free, 10.6, "%", Critical, Warning},
		{"warning below ends", free, 21.1, "%", Warning, Healthy},
		{"below 0", rules{critical: Below(0)}, -0.1, "%", Healthy, Critical},
		{"up to 0", rules{critical: Below(0)}, 0, "%", Critical, Healthy},
		{"a count on its limit", rules{critical: Below(1)}, 1, "1", Critical, Healthy},
		{"a count below its limit", rules{critical: Below(1)}, 0, "1", Healthy, Critical},
		{"a count on its upper limit", rules{warning: Above(0), critical: Above(20)}, 20, "jobs", Critical, Warning},
		{"a count with hysteresis", rules{critical: Below(20).Hysteresis(0.1)}, 22, "1", Critical, Critical},
		{"a fraction", rules{critical: Above(2)}, 1.95, "1", Critical, Critical},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.r.check().level(Measurement{Value: test.value, Unit: test.unit}, test.before); got != test.want {
				t.Fatalf("got %v, want %v", got, test.want)
			}
		})
	}
}

// rules are the part of a Check that evaluations depend on.
type rules struct {
	failures, timeouts, successes int
	optional, measures            bool
	warning, critical             Limit
}

func (r rules) check() *Check {
	c := &Check{
		FailureThreshold: r.failures, TimeoutThreshold: r.timeouts, SuccessThreshold: r.successes, Optional: r.optional,
		Warning: r.warning, Critical: r.critical,
	}
	if r.measures {
		c.Measure = func(context.Context) (Measurement, error) { return Measurement{}, nil }
	}
	return c
}
