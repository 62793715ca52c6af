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

	// spare is what a default grace period leaves for what comes after the last call: flushing, closing, exiting.
	spare = 5 * time.Second

	// commandPatience is when the healthcheck command gives up by itself: one second to connect, one for the answer.
	commandPatience = 2 * time.Second

	// checkTimeout is the default of checker.Check.
	checkTimeout = 5 * time.Second

	// longest keeps sums from overflowing.
	longest = 365 * 24 * time.Hour

	leastStartup  = time.Minute
	mostReadiness = 5 * time.Second
)

// withDefaults fills in what is left out. It derives from impossible values whatever it derives: they are refused later.
func (c Config) withDefaults() Config {
	c.DrainDelay = max(cmp.Or(c.DrainDelay, drainDelay), 0)
	c.ShutdownTimeout = max(cmp.Or(c.ShutdownTimeout, shutdownTimeout), 0)
	patience := time.Second
	if c.Exec != nil {
		patience = 3 * time.Second
	}
	for _, t := range []*Timing{&c.Startup, &c.Liveness, &c.Readiness} {
		t.Timeout = cmp.Or(t.Timeout, patience)
		t.SuccessThreshold = cmp.Or(t.SuccessThreshold, 1)
	}
	c.Startup.Period = cmp.Or(c.Startup.Period, c.Startup.Timeout)
	if c.Startup.FailureThreshold == 0 && c.Startup.Period > 0 {
		_, slowest := c.slowestResult()
		window := max(leastStartup, 2*slowest) - c.Startup.InitialDelay
		c.Startup.FailureThreshold = int(max(ceil(window, c.Startup.Period), 0)) + 1
	}
	c.Liveness.Period = cmp.Or(c.Liveness.Period, max(10*time.Second, c.Liveness.Timeout))
	c.Liveness.FailureThreshold = cmp.Or(c.Liveness.FailureThreshold, 3)
	c.Readiness = c.Readiness.within(c.DrainDelay)
	c.GracePeriod = cmp.Or(c.GracePeriod, min(time.Duration(ceil(c.ending()+spare, time.Second))*time.Second, longest))
	return c
}

// within completes t so that a drain is noticed within delay, if that can be; two failures are better evidence than one.
func (t Timing) within(delay time.Duration) Timing {
	if delay == 0 {
		delay = 2 * mostReadiness // Nothing to keep up with: the pause comes from preStop.
	}
	often := func(failures int) time.Duration {
		return min(max((delay/time.Duration(failures)).Truncate(time.Second), time.Second), mostReadiness)
	}
	switch {
	case t.Period == 0 && t.FailureThreshold != 0:
		t.Period = max(often(max(t.FailureThreshold, 1)), t.Timeout)
	case t.Period == 0 && 2*max(often(2), t.Timeout) <= delay:
		t.Period, t.FailureThreshold = max(often(2), t.Timeout), 2
	case t.Period == 0:
		t.Period, t.FailureThreshold = max(often(1), t.Timeout), 1
	case t.FailureThreshold == 0 && t.Period > 0:
		t.FailureThreshold = int(min(max(delay/t.Period, 1), 3))
	}
	return t
}

// window is the time in which failures in a row are counted until they have their effect.
func (t Timing) window() time.Duration { return t.Period * time.Duration(t.FailureThreshold) }

// lastFailure is how long after the container's start the last probe is sent that may fail.
func (t Timing) lastFailure() time.Duration {
	return t.InitialDelay + t.Period*time.Duration(t.FailureThreshold-1)
}

// ending is how long the program may take to end after the kubelet has decided so. Times that are refused do not count.
func (c Config) ending() time.Duration {
	return min(max(c.PreStop, 0), longest) + min(c.DrainDelay, longest) + min(c.ShutdownTimeout, longest)
}

// slowestResult names the check whose first result start-up may have to wait for longest.
func (c Config) slowestResult() (name string, after time.Duration) {
	for _, check := range c.Checks {
		first := check.InitialDelay + cmp.Or(check.Timeout, checkTimeout)
		if gatesStartup(&check) && first > after {
			name, after = check.Name, first
		}
	}
	return name, after
}

// gatesStartup reports whether start-up is not over before check has a result.
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
