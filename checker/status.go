package checker

import (
	"fmt"
	"slices"
	"strings"
)

// Status grades a check, a metric or a report. The zero value is Unknown: there is no result, or it has expired.
type Status uint8

// The statuses. Healthy < Warning < Critical; see Worse for where Unknown stands.
const (
	Unknown Status = iota
	Healthy
	Warning
	Critical
)

var statusNames = [...]string{"unknown", "healthy", "warning", "critical"}

// String returns unknown, healthy, warning or critical.
func (s Status) String() string { return enumText(statusNames[:], "status", uint8(s)) }

// MarshalText implements encoding.TextMarshaler with String.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler for what MarshalText returns.
func (s *Status) UnmarshalText(text []byte) error {
	i := slices.Index(statusNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("checker: unknown status %q; have %s", text, strings.Join(statusNames[:], ", "))
	}
	*s = Status(i)
	return nil
}

// Worse reports whether s is worse than other in the order healthy, warning, unknown, critical.
func (s Status) Worse(other Status) bool { return s.severity() > other.severity() }

func (s Status) severity() int {
	switch s {
	case Healthy:
		return 0
	case Warning:
		return 1
	case Critical:
		return 3
	default:
		return 2
	}
}

// Serves reports whether a name gated by a check of this status may serve: healthy and warning do.
func (s Status) Serves() bool { return s == Healthy || s == Warning }

// Reason is the machine-readable cause of a status. The set is closed.
type Reason uint8

// The reasons. The zero value is ReasonNotRunYet.
const (
	ReasonNotRunYet   Reason = iota // no result yet
	ReasonOK                        // the check passed
	ReasonTimeout                   // the check did not return in time
	ReasonError                     // the check returned an error
	ReasonPanic                     // the check panicked
	ReasonStale                     // the last result has expired, or the check was inconclusive
	ReasonCircuitOpen               // a circuit breaker is open
	ReasonThreshold                 // a measured value is beyond its limit
	ReasonDegraded                  // the check works, but says that something is wrong
	ReasonStarved                   // the process gets too little CPU
	ReasonMaintenance               // in maintenance
	ReasonStandby                   // out of traffic on purpose, such as a replica that is not the leader
	ReasonDraining                  // the server shuts down
	ReasonManual                    // set by SetServingStatus or Shutdown
)

var reasonNames = [...]string{
	"not_run_yet", "ok", "timeout", "error", "panic", "stale", "circuit_open", "threshold", "degraded", "starved", "maintenance",
	"standby", "draining", "manual",
}

// String returns the stable code of the reason, such as circuit_open.
func (r Reason) String() string { return enumText(reasonNames[:], "reason", uint8(r)) }

// MarshalText implements encoding.TextMarshaler with String.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

func enumText(names []string, kind string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return fmt.Sprintf("%s(%d)", kind, i)
}
