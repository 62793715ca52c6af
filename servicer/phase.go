package servicer

import "fmt"

// Phase is the stage of the process. Phases only go forward.
type Phase uint8

// The phases in their order.
const (
	// Starting: the first results are missing.
	Starting Phase = iota
	// Ready: startup has completed. Checks determine which names serve.
	Ready
	// Draining: shutting down; every name but liveness is NOT_SERVING.
	Draining
	// Stopped: all servers have stopped.
	Stopped
)

var phaseNames = [...]string{"starting", "ready", "draining", "stopped"}

// String returns starting, ready, draining or stopped.
func (p Phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return fmt.Sprintf("phase(%d)", uint8(p))
}

// MarshalText implements encoding.TextMarshaler with String.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }
