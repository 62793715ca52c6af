package checker

import "fmt"

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
	ReasonStarved                   // the process gets too little CPU
	ReasonMaintenance               // in maintenance
	ReasonDraining                  // the server shuts down
	ReasonManual                    // set by SetServingStatus or Shutdown
)

var reasonNames = [...]string{
	"not_run_yet", "ok", "timeout", "error", "panic", "stale", "circuit_open", "threshold", "starved", "maintenance",
	"draining", "manual",
}

// String returns the stable code of the reason, such as circuit_open.
func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return fmt.Sprintf("reason(%d)", uint8(r))
}

// MarshalText implements encoding.TextMarshaler with String.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler for what MarshalText returns.
func (r *Reason) UnmarshalText(text []byte) error {
	for i, name := range reasonNames {
		if string(text) == name {
			*r = Reason(i)
			return nil
		}
	}
	return fmt.Errorf("checker: unknown reason %q", text)
}
