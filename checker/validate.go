package checker

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxNameBytes = 128
	// maxChecks bounds what a program that adds checks at run time, and forgets to remove them, can cost: each is told at
	// every door.
	maxChecks = 10_000
	// minDuration catches a plain number where a duration is meant: Interval: 30 is 30 ns.
	minDuration = time.Millisecond
)

// fieldErrors gathers everything that is wrong with one check, so that it is all reported at once.
type fieldErrors struct {
	check string
	errs  []error
}

func (m *fieldErrors) add(field, format string, args ...any) {
	m.errs = append(m.errs, fmt.Errorf("checker: check %q: %s %s", m.check, field, fmt.Sprintf(format, args...)))
}

// validate returns all mistakes of one check, each naming the check and the field.
func (c *Check) validate() error {
	m := &fieldErrors{check: c.Name}
	m.name("Name", c.Name)
	switch c.Name {
	case "", Liveness, Readiness, Startup, None:
		m.add("Name", "%q is reserved", c.Name)
	}
	if c.Title != "" {
		m.name("Title", c.Title)
	}
	switch {
	case c.Run == nil && c.Measure == nil:
		m.add("Run", "or Measure is required")
	case c.Run != nil && c.Measure != nil:
		m.add("Run", "and Measure exclude each other")
	}
	if c.Kind > Process {
		m.add("Kind", "%d is none of Dependency, Resource and Process", uint8(c.Kind))
	}
	m.times(c)
	m.counts(c)
	m.limits(c)
	m.gates(c)
	return errors.Join(m.errs...)
}

func errTooMany() error {
	return fmt.Errorf("checker: more than %d checks; remove those that are no longer of use, or let one check stand for many", maxChecks)
}

func (m *fieldErrors) name(field, text string) {
	if len(text) > maxNameBytes {
		m.add(field, "is longer than %d bytes", maxNameBytes)
	}
	if !utf8.ValidString(text) || !printable(text) {
		m.add(field, "%q holds unprintable characters", text)
	}
}

func printable(text string) bool {
	for _, r := range text {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

func (m *fieldErrors) times(c *Check) {
	for _, d := range []struct {
		field string
		value time.Duration
		min   time.Duration
	}{
		{"Interval", c.Interval, minDuration},
		{"FailingInterval", c.FailingInterval, minDuration},
		{"Timeout", c.Timeout, minDuration},
		{"InitialDelay", c.InitialDelay, 0},
	} {
		switch {
		case d.value < 0:
			m.add(d.field, "is negative: %v", d.value)
		case d.value > 0 && d.value < d.min:
			m.add(d.field, "is below %v: %v (a plain number is nanoseconds)", d.min, d.value)
		case d.value > math.MaxInt64/8:
			m.add(d.field, "is too long: %v", d.value)
		}
	}
	if math.IsNaN(c.Jitter) || math.IsInf(c.Jitter, 0) || c.Jitter > 1 {
		m.add("Jitter", "must be at most 1: %v", c.Jitter)
	}
}

func (m *fieldErrors) counts(c *Check) {
	for _, n := range []struct {
		field string
		value int
	}{
		{"Retries", c.Retries},
		{"FailureThreshold", c.FailureThreshold},
		{"TimeoutThreshold", c.TimeoutThreshold},
		{"SuccessThreshold", c.SuccessThreshold},
	} {
		if n.value < 0 {
			m.add(n.field, "is negative: %d", n.value)
		}
	}
}

func (m *fieldErrors) gates(c *Check) {
	if c.Optional && len(c.Gates) > 0 && !slices.Equal(c.Gates, []string{None}) {
		m.add("Gates", "and Optional exclude each other: an optional check gates nothing")
	}
	for i, gate := range c.Gates {
		m.name("Gates", gate)
		switch {
		case gate == "":
			m.add("Gates", `holds an empty name; use %q`, Readiness)
		case gate == None && len(c.Gates) > 1:
			m.add("Gates", "holds %q beside other names", None)
		case slices.Contains(c.Gates[:i], gate):
			m.add("Gates", "holds %q twice", gate)
		}
	}
}

// withDefaults returns a copy with every documented default filled in. Gates is copied, empty for none.
func (c *Check) withDefaults() Check {
	d := *c
	d.Interval = cmp.Or(c.Interval, 30*time.Second)
	d.FailingInterval = cmp.Or(c.FailingInterval, min(5*time.Second, d.Interval))
	d.Timeout = cmp.Or(c.Timeout, 5*time.Second)
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
