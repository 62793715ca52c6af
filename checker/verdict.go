package checker

// event is what happened to a check, for the judge.
type event uint8

const (
	passed         event = iota // it said nil, or a number
	failed                      // it said an error
	timedOut                    // it said nothing in time
	panicked                    // it panicked, or ended its goroutine
	circuitRefused              // a circuit breaker answered for it
	inconclusive                // it could not find out, or its last result has expired
	starved                     // the process was too slow to find out
	cancelled                   // the Checker stops; says nothing about the check, never judged
)

// The values of checks that do not measure.
const (
	valueAvailable   = "available"
	valueUnavailable = "unavailable"
	valueTimeout     = "timeout"
	valueError       = "error"
	valueCircuitOpen = "circuit_open"
)

// observation is an event with the number that was measured, if any.
type observation struct {
	event    event
	measured bool
	number   float64
}

// rules are what a verdict depends on beside the testimony.
type rules struct {
	failures, timeouts, successes int // thresholds, at least 1
	optional                      bool
	measures                      bool // the check measures, so that its failure is no unavailability
	warning, critical             Limit
}

func (c *Check) rules() rules {
	return rules{
		failures: c.FailureThreshold, timeouts: c.TimeoutThreshold, successes: c.SuccessThreshold,
		optional: c.Optional, measures: c.Measure != nil, warning: c.Warning, critical: c.Critical,
	}
}

// verdict is the judge's state about one check. It is a value: after returns the next one. Its zero value is that of
// a check that has not run.
type verdict struct {
	status Status
	reason Reason
	value  string

	level                         Status // grade of the last measurement, for hysteresis
	failures, timeouts, successes int    // in a row
	// down is set once the failures have reached their threshold and cleared by enough successes. While it is set,
	// no failure of a milder sort improves the status.
	down bool
}

// after returns the verdict that follows from t. It is pure.
func (v verdict) after(t observation, r rules) verdict {
	switch t.event {
	case passed:
		return v.pass(t, r)
	case failed:
		value := valueUnavailable
		if r.measures {
			value = valueError
		}
		return v.fail(ReasonError, value, v.failures+1 >= r.failures, r)
	case timedOut:
		return v.fail(ReasonTimeout, valueTimeout, v.timeouts+1 >= r.timeouts, r)
	case panicked:
		return v.fail(ReasonPanic, valueError, true, r)
	case circuitRefused:
		return v.fail(ReasonCircuitOpen, valueCircuitOpen, true, r)
	case inconclusive:
		v.failures++
		v.timeouts, v.successes = 0, 0
		v.status, v.reason = Unknown, ReasonStale
	case starved:
		v.reason = ReasonStarved
		if v.status == Healthy {
			v.status = Warning
		}
	}
	return v
}

func (v verdict) pass(t observation, r rules) verdict {
	value, level := valueAvailable, Healthy
	if t.measured {
		value, level = formatNumber(t.number), r.level(t.number, v.level)
		v.level = level
	}
	if level == Critical {
		return v.fail(ReasonThreshold, value, v.failures+1 >= r.failures, r)
	}
	v.failures, v.timeouts = 0, 0
	v.successes++
	if v.down && v.successes < r.successes {
		if v.reason == ReasonThreshold {
			v.value = value // the number still moves
		}
		return v
	}
	v.down = false
	v.status, v.reason, v.value = level, ReasonOK, value
	if level == Warning {
		v.reason = ReasonThreshold
	}
	return v
}

func (v verdict) fail(reason Reason, value string, reached bool, r rules) verdict {
	v.failures++
	v.successes = 0
	if reason == ReasonTimeout {
		v.timeouts++
	} else {
		v.timeouts = 0
	}
	v.down = v.down || reached
	v.status, v.reason, v.value = Warning, reason, value
	if v.down && !r.optional {
		v.status = Critical
	}
	return v
}
