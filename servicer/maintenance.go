package servicer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// maxReason bounds a reason, in bytes: it is part of every report.
const maxReason = 1024

func (m Maintenance) cause() Cause {
	return Cause{Reason: checker.ReasonMaintenance, Text: "maintenance: " + m.Reason}
}

// SetMaintenance makes name NOT_SERVING for d, or until EndMaintenance. A service's name takes out that service, a check's
// name the status of that check, "" or readiness the whole server. The reason is public. Calling it again replaces the
// reason and the end.
//
// It returns an error that joins all mistakes: an unknown name, liveness and startup, which would restart the process,
// a reason that is empty or longer than 1 KiB, and a d that is not positive.
func (s *Server) SetMaintenance(name, reason string, d time.Duration) error {
	var errs []error
	mistake := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("servicer: maintenance of %q: "+format, append([]any{name}, args...)...))
	}
	if err := reasonMistake(reason); err != nil {
		mistake("%w", err)
	}
	if d <= 0 {
		mistake("duration: got %v, want a positive one", d)
	}
	if err := errors.Join(append(errs, maintainable(s.Report(), name))...); err != nil {
		return err
	}
	s.update(func(in *inputs) {
		m := Maintenance{Name: manualName(name), Reason: reason, Until: time.Now().Add(d)}
		in.maintenance = append(without(in.maintenance, name), m)
		slices.SortFunc(in.maintenance, func(a, b Maintenance) int { return strings.Compare(a.Name, b.Name) })
	})
	return nil
}

// maintainable returns the mistake in a name that cannot be in maintenance.
func maintainable(r *Report, name string) error {
	if name == checker.Liveness || name == checker.Startup {
		return fmt.Errorf("servicer: maintenance of %q: would restart the process", name)
	}
	if _, known := r.Lookup(name); !known {
		return fmt.Errorf("servicer: maintenance of %q: unknown name", name)
	}
	return nil
}

func reasonMistake(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return errors.New("reason is required")
	}
	if len(reason) > maxReason {
		return fmt.Errorf("reason: got %d bytes, want at most %d", len(reason), maxReason)
	}
	return nil
}

// EndMaintenance ends the maintenance of name and reports whether there was one.
func (s *Server) EndMaintenance(name string) (found bool) {
	s.update(func(in *inputs) {
		kept := without(in.maintenance, name)
		found = len(kept) < len(in.maintenance)
		in.maintenance = kept
	})
	return found
}

// without returns list without name, in memory of its own: reports share the old one.
func without(list []Maintenance, name string) []Maintenance {
	return slices.DeleteFunc(slices.Clone(list), func(m Maintenance) bool { return m.Name == manualName(name) })
}

// endMaintenance drops what has ended and plans the next evaluation for the end of the rest, also when Run does not run.
func (s *Server) endMaintenance(in *inputs) {
	over := func(m Maintenance) bool { return !m.Until.After(in.now) }
	if slices.ContainsFunc(in.maintenance, over) {
		in.maintenance = slices.DeleteFunc(slices.Clone(in.maintenance), over)
	}
	var next time.Time
	for _, m := range in.maintenance {
		next = soonest(next, m.Until)
	}
	if in.override != nil {
		next = soonest(next, in.override.until)
	}
	switch {
	case next.IsZero():
		if s.maintenance != nil {
			s.maintenance.Stop()
		}
	case s.maintenance == nil:
		s.maintenance = time.AfterFunc(next.Sub(in.now), func() { s.update(nil) })
	default:
		s.maintenance.Reset(next.Sub(in.now))
	}
}
