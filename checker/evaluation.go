package checker

// evaluation is the state of one check: a value, which after replaces. The zero value is that of a check that has not run.
type evaluation struct {
	status Status
	reason Reason
	value  string

	level                         Status // of the last measurement, for hysteresis
	failures, timeouts, successes int    // in a row
	// down is set when failures reach their threshold and cleared by enough successes. While it is set, only success
	// improves the status.
	down bool
}

// after returns the evaluation of c that follows from o. It is pure.
func (v evaluation) after(o *outcome, c *Check) evaluation {
	switch o.event {
	case passed:
		return v.pass(o, c)
	case failed:
		value := valueUnavailable
		if c.Measure != nil {
			value = valueError
		}
		return v.fail(ReasonError, value, v.failures+1 >= c.FailureThreshold, c)
	case timedOut:
		return v.fail(ReasonTimeout, valueTimeout, v.timeouts+1 >= c.TimeoutThreshold, c)
	case panicked:
		return v.fail(ReasonPanic, valueError, true, c)
	case rejected:
		return v.fail(ReasonCircuitOpen, valueCircuitOpen, true, c)
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

func (v evaluation) pass(o *outcome, c *Check) evaluation {
	value, level := valueAvailable, Healthy
	if o.measured {
		number := o.measurement.Value
		value, level = formatNumber(number), c.level(number, v.level)
		v.level = level
	}
	if level == Critical {
		return v.fail(ReasonThreshold, value, v.failures+1 >= c.FailureThreshold, c)
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
	v.status, v.reason, v.value = level, ReasonOK, value
	if level == Warning {
		v.reason = ReasonThreshold
	}
	return v
}

func (v evaluation) fail(reason Reason, value string, reached bool, c *Check) evaluation {
	v.failures++
	v.successes = 0
	if reason == ReasonTimeout {
		v.timeouts++
	} else {
		v.timeouts = 0
	}
	v.down = v.down || reached
	v.status, v.reason, v.value = Warning, reason, value
	if v.down && !c.Optional {
		v.status = Critical
	}
	return v
}
