package checker

import "fmt"

// Reason says, for machines, why a status is what it is. The set is closed.
type Reason uint8

// The reasons. The zero value is ReasonNotRunYet.
const (
	ReasonNotRunYet   Reason = iota // no result yet
	ReasonOK                        // the check passed
	ReasonTimeout                   // no answer within the check's timeout
	ReasonError                     // the check returned an error
	ReasonPanic                     // the check panicked
	ReasonStale                     // the last result has expired
	ReasonCircuitOpen               // a circuit breaker answered in the dependency's place
	ReasonThreshold                 // a measured value is beyond its limit
	ReasonStarved                   // the process itself gets too little CPU to check anything
	ReasonMaintenance               // taken out on purpose
	ReasonDraining                  // the server shuts down
	ReasonManual                    // set by SetServingStatus or Shutdown
)

var reasonNames = [...]string{
	"not_run_yet", "ok", "timeout", "error", "panic", "stale", "circuit_open", "threshold", "starved", "maintenance",
	"draining", "manual",
}

// String returns the reason's stable code, such as circuit_open.
func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return fmt.Sprintf("reason(%d)", uint8(r))
}

// MarshalText implements encoding.TextMarshaler with String.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler: it reads what MarshalText writes and refuses all else.
func (r *Reason) UnmarshalText(text []byte) error {
	for i, name := range reasonNames {
		if string(text) == name {
			*r = Reason(i)
			return nil
		}
	}
	return fmt.Errorf("checker: %q is not a reason", text)
}
