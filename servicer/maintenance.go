package servicer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// maxReason bounds a reason, in bytes: it is sent to everybody, in every report.
const maxReason = 1024

// cause is what maintenance looks like in Name.Because.
func (m Maintenance) cause() Cause {
	return Cause{Reason: checker.ReasonMaintenance, Text: "maintenance: " + m.Reason}
}

func maintained(list []Maintenance, name string) (Maintenance, bool) {
	// The whole server's two names share one cause, which comes through readiness.
	if name == "" || name == checker.Readiness {
		return Maintenance{}, false
	}
	for _, m := range list {
		if m.Name == name {
			return m, true
		}
	}
	return Maintenance{}, false
}

// SetMaintenance takes name out for d: it does not serve until d has passed or EndMaintenance is called, so that no
// maintenance outlives its reason by being forgotten. A service's name takes out that service, a check's name what
// grpc.health.v1 says about that check, "" or readiness the whole server. Everybody can read reason. Calling it again
// replaces what was set before.
//
// It fails if nobody knows name, for liveness and startup, which would have the process killed, without a reason of
// at most 1 KiB, and if d is not positive.
func (s *Server) SetMaintenance(name, reason string, d time.Duration) error {
	var errs []error
	if name == checker.Liveness || name == checker.Startup {
		errs = append(errs, fmt.Errorf("servicer: maintenance of %q would end the process", name))
	}
	if strings.TrimSpace(reason) == "" {
		errs = append(errs, fmt.Errorf("servicer: maintenance of %q needs a reason", name))
	}
	if len(reason) > maxReason {
		errs = append(errs, fmt.Errorf("servicer: maintenance of %q: the reason has %d bytes, more than %d", name, len(reason), maxReason))
	}
	if d <= 0 {
		errs = append(errs, fmt.Errorf("servicer: maintenance of %q for %v is over before it begins", name, d))
	}
	if _, known := s.Report().Lookup(name); !known {
		errs = append(errs, fmt.Errorf("servicer: maintenance of %q: nobody knows that name", name))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	s.rejudge(func() {
		s.maintenance = append(without(s.maintenance, name), Maintenance{name, reason, time.Now().Add(d).UTC()})
		slices.SortFunc(s.maintenance, func(a, b Maintenance) int { return strings.Compare(a.Name, b.Name) })
	})
	time.AfterFunc(d, func() { s.rejudge(nil) }) // also where nobody calls Run
	return nil
}

// EndMaintenance gives name back to its judge. It reports whether there was anything to end.
func (s *Server) EndMaintenance(name string) bool {
	found := false
	s.rejudge(func() {
		found = slices.ContainsFunc(s.maintenance, func(m Maintenance) bool { return m.Name == name })
		s.maintenance = without(s.maintenance, name)
	})
	return found
}

// without returns list without name, in memory of its own: reports share the old one.
func without(list []Maintenance, name string) []Maintenance {
	return slices.DeleteFunc(slices.Clone(list), func(m Maintenance) bool { return m.Name == name })
}

// inForce returns the maintenance that has not ended at t.
func inForce(list []Maintenance, t time.Time) []Maintenance {
	over := func(m Maintenance) bool { return !m.Until.After(t) }
	if !slices.ContainsFunc(list, over) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), over)
}
