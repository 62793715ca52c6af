package kubernetes

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"time"
)

// conflicts collects the errors of a Config.
type conflicts []error

func (errs *conflicts) add(field, format string, args ...any) {
	*errs = append(*errs, fmt.Errorf("kubernetes: %s: %s", field, fmt.Sprintf(format, args...)))
}

// validate checks a Config with its defaults.
func (c Config) validate() error {
	var errs conflicts
	c.endpoint(&errs)
	before := len(errs)
	for name, t := range c.timings() {
		t.validate(&errs, name)
	}
	if c.DrainDelay == 0 && c.GracePeriod == 0 {
		errs.add("DrainDelay", "got none, so GracePeriod is required, with the time of a preStop hook: endpoints still route to the pod "+
			"when GracefulStop begins")
	} else {
		errs.seconds("GracePeriod", c.GracePeriod)
	}
	errs.bounded("DrainDelay", c.DrainDelay)
	errs.bounded("ShutdownTimeout", c.ShutdownTimeout)
	if len(errs) == before { // sums of invalid numbers would add misleading errors
		c.restarts(&errs)
		c.drain(&errs)
	}
	return errors.Join(errs...)
}

func (c Config) timings() iter.Seq2[string, Timing] {
	return func(yield func(string, Timing) bool) {
		_ = yield("Startup", c.Startup) && yield("Liveness", c.Liveness) && yield("Readiness", c.Readiness)
	}
}

// validate checks one probe by itself.
func (t Timing) validate(errs *conflicts, name string) {
	errs.seconds(name+".Period", t.Period)
	errs.seconds(name+".Timeout", t.Timeout)
	if t.FailureThreshold < 1 || t.FailureThreshold > math.MaxInt32 {
		errs.add(name+".FailureThreshold", "got %d, want at least 1, and an int32", t.FailureThreshold)
	}
	if t.Timeout > t.Period {
		errs.add(name+".Timeout", "got %v, want at most the Period of %v", t.Timeout, t.Period)
	}
}

func (errs *conflicts) seconds(field string, d time.Duration) {
	if d < time.Second || d%time.Second != 0 {
		errs.add(field, "got %v, want whole seconds, at least 1s", d)
	}
	errs.bounded(field, d)
}

func (errs *conflicts) bounded(field string, d time.Duration) {
	if d > longest {
		errs.add(field, "got %v, want at most a year", d)
	}
}

// restarts rejects timings that restart a healthy container, or never restart one that hangs.
func (c Config) restarts(errs *conflicts) {
	name, first := c.slowestResult()
	if last := c.Startup.lastFailure(); name != "" && last < first {
		errs.add("Startup", "fails after %v (Period × (FailureThreshold - 1)), but the first result of check %q may take %v "+
			"(InitialDelay + Timeout): the container would restart before it can be ready", last, name, first)
	}
	live, ready := c.Liveness.window(), c.Readiness.window()
	if live < ready {
		errs.add("Liveness", "restarts after %v (Period × FailureThreshold), before Readiness removes the pod after %v", live, ready)
	}
	if expires := max(3*c.FileInterval, 3*time.Second); c.readsFile() && expires > live {
		errs.add("FileInterval", "got %v: the file expires after %v, later than the %v (Period × FailureThreshold) of Liveness; want "+
			"at most %v or a longer Liveness", c.FileInterval, expires, live, live/3)
	}
}

// drain rejects timings that cut off calls: the pod must be out of its endpoints when GracefulStop begins, and SIGKILL
// must come at least one second after the server's own deadline.
func (c Config) drain(errs *conflicts) {
	notice := c.Readiness.window()
	if c.DrainDelay > 0 && notice > c.DrainDelay {
		errs.add("Readiness", "needs %v (Period × FailureThreshold) to notice a drain, more than the DrainDelay of %v: endpoints may "+
			"still route to the pod when GracefulStop begins", notice, c.DrainDelay)
	}
	if c.GracePeriod < c.shutdown()+time.Second {
		errs.add("GracePeriod", "got %v, want at least one second more than the %v of a drain (DrainDelay %v + ShutdownTimeout %v): "+
			"calls in flight would be cut off", c.GracePeriod, c.shutdown(), c.DrainDelay, c.ShutdownTimeout)
	}
}
