package kubernetes

import (
	"cmp"
	"slices"
	"time"

	"github.com/vitals-go/vitals/checker"
)

const (
	drainDelay      = 5 * time.Second
	shutdownTimeout = 20 * time.Second
	checkTimeout    = 5 * time.Second // of checker.Check

	// spare is the part of the default grace period after the last call: flushing, closing, exiting.
	spare = 5 * time.Second
	// longest keeps sums from overflowing.
	longest = 365 * 24 * time.Hour

	minStartup = time.Minute
	maxPeriod  = 5 * time.Second
)

// withDefaults returns c with all defaults. Values derived from invalid ones are rejected later.
func (c Config) withDefaults() Config {
	c.DrainDelay = max(cmp.Or(c.DrainDelay, drainDelay), 0)
	c.ShutdownTimeout = max(cmp.Or(c.ShutdownTimeout, shutdownTimeout), 0)
	timeout := time.Second
	if len(c.Command) > 0 {
		timeout = commandTimeout + time.Second
	}
	for _, t := range []*Timing{&c.Startup, &c.Liveness, &c.Readiness} {
		t.Timeout = cmp.Or(t.Timeout, timeout)
	}
	c.Startup.Period = cmp.Or(c.Startup.Period, c.Startup.Timeout)
	if c.Startup.FailureThreshold == 0 && c.Startup.Period > 0 {
		_, slowest := c.slowestResult()
		c.Startup.FailureThreshold = int(max(ceil(max(minStartup, 2*slowest), c.Startup.Period), 0)) + 1
	}
	c.Liveness.Period = cmp.Or(c.Liveness.Period, max(10*time.Second, c.Liveness.Timeout))
	c.Liveness.FailureThreshold = cmp.Or(c.Liveness.FailureThreshold, 3)
	c.Readiness = c.Readiness.within(c.DrainDelay)
	if c.DrainDelay > 0 {
		c.GracePeriod = cmp.Or(c.GracePeriod, min(time.Duration(ceil(c.shutdown()+spare, time.Second))*time.Second, longest))
	}
	return c
}

// within completes t so that a drain is noticed within delay, if possible by two failures.
func (t Timing) within(delay time.Duration) Timing {
	if delay == 0 {
		delay = 2 * maxPeriod // no drain delay to keep up with
	}
	period := func(failures int) time.Duration {
		return min(max((delay/time.Duration(failures)).Truncate(time.Second), time.Second), maxPeriod)
	}
	switch {
	case t.Period == 0 && t.FailureThreshold != 0:
		t.Period = max(period(max(t.FailureThreshold, 1)), t.Timeout)
	case t.Period == 0 && 2*max(period(2), t.Timeout) <= delay:
		t.Period, t.FailureThreshold = max(period(2), t.Timeout), 2
	case t.Period == 0:
		t.Period, t.FailureThreshold = max(period(1), t.Timeout), 1
	case t.FailureThreshold == 0 && t.Period > 0:
		t.FailureThreshold = int(min(max(delay/t.Period, 1), 3))
	}
	return t
}

// window is the time that consecutive failures take to fail the probe.
func (t Timing) window() time.Duration { return t.Period * time.Duration(t.FailureThreshold) }

// lastFailure is the time from the container's start to the last probe before it fails.
func (t Timing) lastFailure() time.Duration { return t.Period * time.Duration(t.FailureThreshold-1) }

// shutdown is the time that the program may take to end. Invalid times count as the nearest valid one.
func (c Config) shutdown() time.Duration {
	return min(c.DrainDelay, longest) + min(c.ShutdownTimeout, longest)
}

// slowestResult returns the check with the latest first result that startup requires.
func (c Config) slowestResult() (name string, after time.Duration) {
	for _, check := range c.Checks {
		first := check.InitialDelay + cmp.Or(check.Timeout, checkTimeout)
		if gatesStartup(&check) && first > after {
			name, after = check.Name, first
		}
	}
	return name, after
}

// gatesStartup reports whether startup requires a result of check.
func gatesStartup(check *checker.Check) bool {
	switch {
	case check.Optional:
		return false
	case len(check.Gates) == 0:
		return check.Kind == checker.Dependency
	default:
		return slices.Contains(check.Gates, checker.Readiness) || slices.Contains(check.Gates, checker.Startup)
	}
}

func ceil(d, unit time.Duration) int64 { return int64((d + unit - 1) / unit) }
