package checker

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxNameBytes  = 128
	maxTitleBytes = 256  // a name and the words around it
	maxGateBytes  = 1024 // full names of services have no limit of their own
	// maxChecks bounds the cost of a program that keeps adding checks.
	maxChecks = 10_000
	// minDuration detects a plain number in place of a duration: Interval: 30 is 30 ns.
	minDuration = time.Millisecond
	maxDuration = math.MaxInt64 / 8
)

// fieldErrors collects the mistakes of one check.
type fieldErrors struct {
	check string
	errs  []error
}

func (m *fieldErrors) add(field, format string, args ...any) {
	m.errs = append(m.errs, fmt.Errorf("checker: check %q: %s: %s", m.check, field, fmt.Sprintf(format, args...)))
}

// validate returns all mistakes of one check, each naming the check and the field.
func (c *Check) validate() error {
	m := &fieldErrors{check: c.Name}
	switch c.Name {
	case "":
		m.errs = append(m.errs, errors.New(`checker: check "": Name is required`))
	case Liveness, Readiness, Startup, None:
		m.add("Name", "%q is reserved", c.Name)
	default:
		m.text("Name", c.Name, maxNameBytes)
	}
	m.text("Title", c.Title, maxTitleBytes)
	if ways := []bool{c.Run != nil, c.Measure != nil, c.TTL != 0}; len(slices.DeleteFunc(ways, func(set bool) bool { return !set })) != 1 {
		m.add("Run", "want exactly one of Run, Measure and TTL")
	}
	m.duration("TTL", c.TTL, minDuration)
	if c.Kind > Process {
		m.add("Kind", "got %d, want Dependency, Resource or Process", uint8(c.Kind))
	}
	m.duration("Interval", c.Interval, minDuration)
	m.duration("FailingInterval", c.FailingInterval, minDuration)
	m.duration("Timeout", c.Timeout, minDuration)
	m.duration("InitialDelay", c.InitialDelay, 0)
	m.share("Jitter", c.Jitter)
	m.share("SlowShare", c.SlowShare)
	m.count("Retries", c.Retries)
	m.count("FailureThreshold", c.FailureThreshold)
	m.count("TimeoutThreshold", c.TimeoutThreshold)
	m.count("SuccessThreshold", c.SuccessThreshold)
	m.limits(c)
	m.gates(c)
	return errors.Join(m.errs...)
}

func (m *fieldErrors) text(field, text string, most int) {
	if len(text) > most {
		m.add(field, "got %d bytes, want at most %d", len(text), most)
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		m.add(field, "%q has unprintable characters", text)
	}
}

func (m *fieldErrors) duration(field string, d, least time.Duration) {
	switch {
	case d < 0, d > maxDuration:
		m.add(field, "got %v, want 0 to %v", d, time.Duration(maxDuration).Truncate(time.Hour))
	case d > 0 && d < least:
		m.add(field, "got %v, want at least %v (a plain number is nanoseconds)", d, least)
	}
}

func (m *fieldErrors) share(field string, share float64) {
	if !(share <= 1) || math.IsInf(share, 0) {
		m.add(field, "got %v, want at most 1", share)
	}
}

func (m *fieldErrors) count(field string, n int) {
	if n < 0 {
		m.add(field, "got %d, want 0 or more", n)
	}
}

func (m *fieldErrors) limits(c *Check) {
	m.limit("Warning", c.Warning, c)
	m.limit("Critical", c.Critical, c)
	w, k := c.Warning, c.Critical
	switch {
	case w.IsZero() || k.IsZero():
	case w.side != k.side:
		m.add("Warning", "got %s, but Critical is %s: want both above or both below", w, k)
	case float64(w.side)*w.value > float64(k.side)*k.value:
		m.add("Warning", "got %s, which is beyond Critical, %s", w, k)
	}
}

func (m *fieldErrors) limit(field string, l Limit, c *Check) {
	if l.IsZero() {
		return
	}
	if c.Run != nil {
		m.add(field, "requires Measure or TTL")
	}
	if math.IsNaN(l.value) || math.IsInf(l.value, 0) {
		m.add(field, "got %s, want a finite number", l)
	}
	if !(l.hysteresis >= 0 && l.hysteresis < 1) {
		m.add(field, "got hysteresis %v, want at least 0 and below 1", l.hysteresis)
	}
}

func (m *fieldErrors) gates(c *Check) {
	if c.Optional && len(c.Gates) > 0 && !slices.Equal(c.Gates, []string{None}) {
		m.add("Gates", "an Optional check gates nothing")
	}
	if c.Optional && c.Shadow {
		m.add("Shadow", "an Optional check gates nothing")
	}
	for i, gate := range c.Gates {
		m.text("Gates", gate, maxGateBytes)
		switch {
		case gate == "":
			m.add("Gates", "empty name, want %q", Readiness)
		case gate == None && len(c.Gates) > 1:
			m.add("Gates", "%q excludes other names", None)
		case slices.Contains(c.Gates[:i], gate):
			m.add("Gates", "%q is listed twice", gate)
		}
	}
}

// withDefaults returns a copy with all defaults. Gates is copied, empty for none.
func (c *Check) withDefaults() Check {
	d := *c
	d.Interval = cmp.Or(c.Interval, 30*time.Second)
	d.FailingInterval = cmp.Or(c.FailingInterval, min(5*time.Second, d.Interval))
	d.Timeout = cmp.Or(c.Timeout, 5*time.Second)
	d.SlowShare = cmp.Or(c.SlowShare, 0.8)
	d.Jitter = max(cmp.Or(c.Jitter, 0.1), 0)
	d.FailureThreshold = cmp.Or(c.FailureThreshold, 1)
	d.TimeoutThreshold = cmp.Or(c.TimeoutThreshold, 3)
	d.SuccessThreshold = cmp.Or(c.SuccessThreshold, 1)
	if d.Title == "" {
		d.Title = c.Name
		if c.Kind == Dependency {
			d.Title = "Dependency " + c.Name
		}
	}
	d.DependsOn = slices.Clone(c.DependsOn)
	d.Gates = c.gatesOrDefault()
	return d
}

func (c *Check) gatesOrDefault() []string {
	switch {
	case slices.Equal(c.Gates, []string{None}), c.Optional:
		return nil
	case len(c.Gates) > 0:
		return slices.Clone(c.Gates)
	case c.Kind == Dependency:
		return []string{Readiness}
	case c.Kind == Process:
		return []string{Liveness}
	default:
		return nil
	}
}
