package checker

// evaluation is the state of one check: a value, which after replaces. The zero value is that of a required check that has
// not run.
type evaluation struct {
	status Status
	reason Reason
	value  string
	text   string // public, of the error that led to reason

	level                         Status // of the last measurement, for hysteresis
	failures, timeouts, successes int    // in a row
	// down is set when failures reach their threshold and cleared by enough successes. While it is set, only success
	// improves the status.
	down bool
}

// after returns the evaluation of c that follows from o. It is pure.
func (v evaluation) after(o *outcome, c *Check) evaluation {
	switch o.event {
	case passed, degraded:
		return v.pass(o, c)
	case failed:
		value := valueUnavailable
		if c.Measure != nil {
			value = valueError
		}
		return v.fail(o, ReasonError, value, v.failures+1 >= c.FailureThreshold, c)
	case timedOut:
		return v.fail(o, ReasonTimeout, valueTimeout, v.timeouts+1 >= c.TimeoutThreshold, c)
	case panicked:
		return v.fail(o, ReasonPanic, valueError, true, c)
	case rejected:
		return v.fail(o, ReasonCircuitOpen, valueCircuitOpen, true, c)
	case inconclusive:
		v.failures++
		v.timeouts, v.successes = 0, 0
		v.status, v.reason, v.text = c.withoutResult(), ReasonStale, o.text
	case starved:
		v.reason, v.text = ReasonStarved, ""
		if v.status == Healthy {
			v.status = Warning
		}
	}
	return v
}

// withoutResult is the status of a check without a valid result.
func (c *Check) withoutResult() Status {
	if c.Optional {
		return Warning
	}
	return Unknown
}

func (v evaluation) pass(o *outcome, c *Check) evaluation {
	value, level, reason := valueAvailable, Healthy, ReasonOK
	if o.event == degraded {
		value, level, reason = valueDegraded, Warning, ReasonDegraded
	}
	if o.measured {
		value, v.level = formatNumber(o.measurement.Value), c.level(o.measurement, v.level)
		if v.level.Worse(level) {
			level, reason = v.level, ReasonThreshold
		}
	}
	if level == Critical {
		return v.fail(o, ReasonThreshold, value, v.failures+1 >= c.FailureThreshold, c)
	}
	v.failures, v.timeouts = 0, 0
	v.successes++
	if v.down && v.successes < c.SuccessThreshold {
		if v.reason == ReasonThreshold {
			v.value = value
		}
		return v
	}
	v.down = false
	v.status, v.reason, v.value, v.text = level, reason, value, o.text
	return v
}

func (v evaluation) fail(o *outcome, reason Reason, value string, reached bool, c *Check) evaluation {
	v.failures++
	v.successes = 0
	if reason == ReasonTimeout {
		v.timeouts++
	} else {
		v.timeouts = 0
	}
	// A check that has had a result and has none that is valid does not serve: a failure must not make it serve again.
	stale := v.status == Unknown && v.value != ""
	v.down = v.down || reached || stale
	v.status, v.reason, v.value, v.text = Warning, reason, value, o.text
	if v.down && !c.Optional {
		v.status = Critical
	}
	return v
}
