package checker

import "fmt"

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
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("status(%d)", uint8(s))
}

// MarshalText implements encoding.TextMarshaler with String.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler for what MarshalText returns.
func (s *Status) UnmarshalText(text []byte) error {
	for i, name := range statusNames {
		if string(text) == name {
			*s = Status(i)
			return nil
		}
	}
	return fmt.Errorf("checker: unknown status %q, want unknown, healthy, warning or critical", text)
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
