package servicer

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// metricOverride is the metric of an override that is in force, or of a mistake in its file.
const metricOverride = "override"

// override is what Config.OverrideFile says. It is immutable.
type override struct {
	reason      string
	since       time.Time // when it came into force
	until       time.Time
	optional    []string // names of checks, sorted
	maintenance []string // names, sorted
}

// validate returns all mistakes of o.
func (o *override) validate(checks []*checker.Result, r *Report) error {
	errs := []error{reasonMistake(o.reason)}
	if o.until.IsZero() {
		errs = append(errs, errors.New("until is required"))
	}
	for _, name := range o.optional {
		if _, known := (&checker.Snapshot{Results: checks}).Lookup(name); !known {
			errs = append(errs, fmt.Errorf("optional: unknown check %q", name))
		}
	}
	for _, name := range o.maintenance {
		errs = append(errs, maintainable(r, name))
	}
	return errors.Join(errs...)
}

// setOverride puts o into force in place of what was, nil for none, unless err is a mistake in the file.
func (s *Server) setOverride(o *override, err error) {
	s.update(func(in *inputs) {
		before := in.override
		if o != nil && err == nil && !o.until.After(time.Now()) {
			s.log.Log(slog.LevelInfo, "override ended", o.attrs()...)
			o, before = nil, nil
		}
		switch {
		case err != nil:
			s.log.Log(slog.LevelError, "override file rejected, what was in force stays", slog.String("error", err.Error()))
			o = before
		case o != nil && o != before:
			s.log.Log(slog.LevelWarn, "override in force", o.attrs()...)
		case o == nil && before != nil:
			s.log.Log(slog.LevelInfo, "override ended", before.attrs()...)
		}
		in.override, in.overrideErr = o, err
		in.deriveChecks()
	})
}

// endOverride ends the override whose time is over.
func (s *Server) endOverride(in *inputs) {
	if o := in.override; o != nil && !o.until.After(in.now) {
		in.override = nil
		in.deriveChecks()
		s.log.Log(slog.LevelInfo, "override ended", o.attrs()...)
	}
}

func (o *override) attrs() []slog.Attr {
	return []slog.Attr{
		slog.String("reason", o.reason), slog.Time("until", o.until),
		slog.Any("optional", o.optional), slog.Any("maintenance", o.maintenance),
	}
}

// deriveChecks derives the checks that are evaluated from those that were measured.
func (in *inputs) deriveChecks() {
	in.checks, in.shadow = in.measured, nil
	optional, since := []string(nil), time.Time{}
	if in.override != nil {
		optional, since = in.override.optional, in.override.since
	}
	for i, c := range in.measured {
		overridden := contains(optional, c.Name)
		if !overridden && !c.Shadow {
			continue
		}
		if &in.checks[0] == &in.measured[0] {
			in.checks = slices.Clone(in.measured)
		}
		if overridden {
			in.checks[i] = asOptional(c, since)
		} else {
			in.checks[i] = asOptional(c, time.Time{})
			if c.Reason != checker.ReasonNotRunYet {
				in.shadow = append(in.shadow, c)
			}
		}
	}
	in.startup.observe(in.checks)
}

// asOptional returns c as it is if it is optional since then.
func asOptional(c *checker.Result, since time.Time) *checker.Result {
	if c.Optional {
		return c
	}
	result := *c
	result.Optional, result.Gates = true, nil
	if !c.Status.Serves() {
		result.Status = checker.Warning
		if since.After(c.Since) {
			result.Since = since
		}
	}
	return &result
}

// allMaintenance returns the maintenance in force, that of the override too, sorted by name.
func (in *inputs) allMaintenance() []Maintenance {
	if in.override == nil || len(in.override.maintenance) == 0 {
		return in.maintenance
	}
	all := slices.Clone(in.maintenance)
	for _, name := range in.override.maintenance {
		all = append(all, Maintenance{Name: manualName(name), Reason: in.override.reason, Until: in.override.until})
	}
	slices.SortStableFunc(all, func(a, b Maintenance) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// overrideMetric warns of an override in force, which is easily forgotten, and of a mistake in the file.
func overrideMetric(in *inputs) (Metric, bool) {
	m := Metric{Name: metricOverride, Kind: kindEvaluation, Status: checker.Warning, Updated: in.now}
	if o := in.override; o != nil {
		m.Value, m.Reason, m.Message, m.Updated = "in_force", checker.ReasonManual, o.String(), o.since
	}
	if in.overrideErr != nil {
		m.Reason, m.Detail = checker.ReasonError, in.overrideErr.Error()
		if in.override == nil {
			m.Value, m.Message = valueError, "Override file rejected, nothing is overridden"
		} else {
			m.Message = "Override file rejected, what was in force stays. " + m.Message
		}
	}
	return m, m.Value != ""
}

// String describes o in a public sentence.
func (o *override) String() string {
	list := func(names []string) string {
		quoted := make([]string, len(names))
		for i, name := range names {
			quoted[i] = validUTF8(name)
			if name == "" {
				quoted[i] = "the whole server"
			}
		}
		return strings.Join(quoted, ", ")
	}
	var what []string
	if len(o.optional) > 0 {
		what = append(what, "optional: "+list(o.optional))
	}
	if len(o.maintenance) > 0 {
		what = append(what, "in maintenance: "+list(o.maintenance))
	}
	return fmt.Sprintf("Override from %s to %s (%s); %s", clock(o.since), clock(o.until), o.reason, strings.Join(what, "; "))
}

// clock returns t in UTC to the second.
func clock(t time.Time) string { return t.UTC().Format(time.RFC3339) }
