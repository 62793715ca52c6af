package kubernetes

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// contradictions collects everything that cannot work.
type contradictions []error

func (m *contradictions) add(field, format string, args ...any) {
	*m = append(*m, fmt.Errorf("kubernetes: %s %s", field, fmt.Sprintf(format, args...)))
}

// contradictions judges a Config with its defaults.
func (c Config) contradictions() error {
	var m contradictions
	c.door(&m)
	sane := len(m)
	for name, t := range c.timings() {
		t.check(&m, name)
	}
	m.seconds("PreStop", c.PreStop, 0)
	m.seconds("GracePeriod", c.GracePeriod, time.Second)
	m.bounded("DrainDelay", c.DrainDelay)
	m.bounded("ShutdownTimeout", c.ShutdownTimeout)
	if len(m) == sane { // Sums of impossible numbers would only add noise.
		c.restarts(&m)
		c.traffic(&m)
		c.end(&m)
	}
	return errors.Join(m...)
}

func (c Config) timings() func(func(string, Timing) bool) {
	return func(yield func(string, Timing) bool) {
		_ = yield("Startup", c.Startup) && yield("Liveness", c.Liveness) && yield("Readiness", c.Readiness)
	}
}

// check judges one probe by itself.
func (t Timing) check(m *contradictions, name string) {
	m.seconds(name+".InitialDelay", t.InitialDelay, 0)
	m.seconds(name+".Period", t.Period, time.Second)
	m.seconds(name+".Timeout", t.Timeout, time.Second)
	m.count(name+".FailureThreshold", t.FailureThreshold)
	m.count(name+".SuccessThreshold", t.SuccessThreshold)
	if t.Timeout > t.Period {
		m.add(name+".Timeout", "is %v, longer than its Period of %v: a probe that hangs delays the next ones", t.Timeout, t.Period)
	}
	if t.SuccessThreshold > 1 && name != "Readiness" {
		m.add(name+".SuccessThreshold", "is %d: Kubernetes accepts only 1 here", t.SuccessThreshold)
	}
}

func (m *contradictions) count(field string, n int) {
	if n < 1 || n > math.MaxInt32 {
		m.add(field, "is %d: want at least 1, and an int32", n)
	}
}

func (m *contradictions) seconds(field string, d, least time.Duration) {
	switch {
	case d < least:
		m.add(field, "is %v: want at least %v", d, least)
	case d%time.Second != 0:
		m.add(field, "is %v: Kubernetes counts whole seconds", d)
	default:
		m.bounded(field, d)
	}
}

func (m *contradictions) bounded(field string, d time.Duration) {
	if d > longest {
		m.add(field, "is %v: more than a year", d)
	}
}

// restarts judges what has a container killed.
func (c Config) restarts(m *contradictions) {
	name, first := c.slowestResult()
	if last := c.Startup.lastFailure(); name != "" && last < first {
		m.add("Startup", "gives up after %v (InitialDelay + Period × (FailureThreshold - 1)), but the first result of check %q "+
			"may take %v (InitialDelay + Timeout): the container would be restarted before it can be ready", last, name, first)
	}
	if live, ready := c.Liveness.window(), c.Readiness.window(); live < ready {
		m.add("Liveness", "restarts after %v (Period × FailureThreshold), before Readiness takes the traffic away after %v", live, ready)
	}
	if e := c.Exec; e != nil && e.File != "" {
		expires, window := 3*e.FileInterval, c.Liveness.window()
		if expires > window {
			m.add("Exec.FileInterval", "is %v, so the file expires %v after it was written, later than the %v (Period × "+
				"FailureThreshold) of Liveness: a program that hangs would pass for alive long after it should be restarted; "+
				"write the file every %v or allow Liveness more", e.FileInterval, expires, window, window/3)
		}
	}
}

// traffic judges whether calls stop coming before the server stops taking them.
func (c Config) traffic(m *contradictions) {
	notice := c.Readiness.window()
	switch {
	case c.DrainDelay == 0 && c.PreStop == 0:
		m.add("DrainDelay", "is none, and PreStop is none: endpoints still route to the pod when GracefulStop begins")
	case c.DrainDelay > 0 && notice > c.DrainDelay:
		m.add("Readiness", "needs %v (Period × FailureThreshold) to notice a drain, longer than the DrainDelay of %v: endpoints "+
			"may still route to the pod when GracefulStop begins", notice, c.DrainDelay)
	}
}

// end judges the grace period. A whole second must be left: the deadline of the server is not that of the kubelet.
func (c Config) end(m *contradictions) {
	if c.GracePeriod < c.ending()+time.Second {
		m.add("GracePeriod", "is %v, but the drain may take %v (PreStop %v + DrainDelay %v + ShutdownTimeout %v) and needs a "+
			"second more to end: calls in flight would be killed", c.GracePeriod, c.ending(), c.PreStop, c.DrainDelay, c.ShutdownTimeout)
	}
}
