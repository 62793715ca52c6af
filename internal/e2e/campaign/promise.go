package main

import (
	"fmt"
	"time"
)

// settings are the times that the server is told by its PLUGIN_* variables. They are short, so that a step takes a
// second or three; what is promised is a formula of them.
type settings struct {
	interval time.Duration // PLUGIN_HEALTH_CHECK_INTERVAL; a failing check comes as often, since it is below 5 s
	timeout  time.Duration // PLUGIN_HEALTH_CHECK_TIMEOUT
	drain    time.Duration // PLUGIN_HEALTH_DRAIN_DELAY
	shutdown time.Duration // PLUGIN_HEALTH_SHUTDOWN_TIMEOUT
	// allowance is for the machine: processes that have to be scheduled, connections, the campaign's own work.
	allowance time.Duration
}

func usual() settings {
	return settings{
		interval: 250 * time.Millisecond, timeout: 500 * time.Millisecond, drain: 400 * time.Millisecond,
		shutdown: 3 * time.Second, allowance: 5 * time.Second,
	}
}

const (
	timeoutThreshold = 3 // timeouts in a row make a check critical: checker.Check.TimeoutThreshold
	breakerThreshold = 5 // failures in a row open a breaker: breaker.Config.ConsecutiveFailures
)

// turn is the longest time from one start of a check to the next: the interval with its jitter of a tenth. A check of a
// dependency that has just been used passes without asking, so that faults may be seen one turn later than the check comes.
func (s settings) turn() time.Duration { return s.interval + s.interval/10 }

// promise is within which time every endpoint tells the truth after a step, and by which formula.
type promise struct {
	within  time.Duration
	formula string
}

func (p promise) String() string { return fmt.Sprintf("%s = %v", p.formula, p.within) }

// loud is the promise for a fault that answers with an error: the run that is in flight may still pass, the next one
// tells, or the one after it. The breaker has seen enough after five.
func (s settings) loud() promise {
	return promise{s.timeout + (1+breakerThreshold)*s.turn(), "timeout + 6 × 1.1 × interval"}
}

// quiet is the promise for a fault that answers nothing: three timeouts in a row make the verdict, five open the
// breaker.
func (s settings) quiet() promise {
	return promise{2*s.turn() + breakerThreshold*max(s.timeout, s.turn()), "2 × 1.1 × interval + 5 × max(timeout, 1.1 × interval)"}
}

// recovery is the promise for a dependency that works again: the run that is in flight may still fail at its timeout,
// the next one may come to a breaker that is open for half an interval, the one after that passes.
func (s settings) recovery() promise {
	return promise{2*s.timeout + 2*s.turn(), "2 × (timeout + 1.1 × interval)"}
}

// birth is the promise for a start: every gating check has a result after its first run, and if that is a timeout,
// the promise for a quiet fault holds from there.
func (s settings) birth() promise {
	return promise{s.timeout + s.quiet().within, "timeout + the promise for quiet faults"}
}

// thaw is the promise for a server that was stopped: whatever was in flight ends at once, everything is due.
func (s settings) thaw() promise {
	return promise{s.quiet().within, "as for a quiet fault"}
}

// unmoved is the promise for what must not be seen at all, but for the health file, which is written every interval.
func (s settings) unmoved() promise { return promise{s.turn(), "1.1 × interval"} }

// published is the promise for times in a report, which is published a second after the last one when only numbers differ.
func (s settings) published() promise {
	return promise{time.Second + s.turn(), "1 s + 1.1 × interval"}
}

// ends is the promise for the end after SIGTERM.
func (s settings) ends() promise {
	return promise{s.drain + s.shutdown, "drain delay + shutdown timeout"}
}

// fileLife is how long a health file is believed.
func (s settings) fileLife() time.Duration { return max(3*s.interval, 3*time.Second) }

// of returns what is promised after a step that has made before into after.
func (s settings) of(step step, before, after truth) promise {
	switch step.kind {
	case restart, crash, abortedStart:
		return s.birth()
	case freeze:
		return s.thaw()
	case clockJump, maintain, override:
		return s.published()
	case fullDisk:
		if after.full {
			return promise{s.fileLife(), "3 × interval, at least 3 s: as long as a health file is believed"}
		}
		return s.unmoved()
	case breakOne, mendOne:
		is, was := after.faults[step.dependency], before.faults[step.dependency]
		switch {
		case is.harmless() && was.harmless():
			return s.unmoved()
		case is.harmless():
			return s.recovery()
		case is.quiet():
			return s.quiet()
		default:
			return s.loud()
		}
	default:
		return s.unmoved()
	}
}
