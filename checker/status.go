package checker

import "fmt"

// Status grades a check, a metric or a whole report.
//
// The zero value is Unknown: there is no evidence yet, or the evidence has expired. Unknown never serves.
type Status uint8

// The statuses. Healthy < Warning < Critical; see Worse for where Unknown stands.
const (
	Unknown Status = iota
	Healthy
	Warning
	Critical
)

var statusNames = [...]string{"unknown", "healthy", "warning", "critical"}

// String returns the status as reports, probes and metrics spell it: unknown, healthy, warning or critical.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("status(%d)", uint8(s))
}

// MarshalText implements encoding.TextMarshaler with String.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler: it reads what MarshalText writes and refuses all else.
func (s *Status) UnmarshalText(text []byte) error {
	for i, name := range statusNames {
		if string(text) == name {
			*s = Status(i)
			return nil
		}
	}
	return fmt.Errorf("checker: %q is not a status (unknown, healthy, warning, critical)", text)
}

// Worse reports whether s is worse than other. Missing evidence is worse than a warning and better than proof of
// failure: healthy, warning, unknown, critical.
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

// Serves reports whether a name gated by something of this status may serve: healthy and warning do.
func (s Status) Serves() bool { return s == Healthy || s == Warning }
