package servicer

import "fmt"

// Phase is where the process stands in its life.
type Phase uint8

// The phases, in the order in which a process passes through them.
const (
	// Starting: the first results are not in yet.
	Starting Phase = iota
	// Ready: start-up is over. Whether a name serves is then up to its checks.
	Ready
	// Draining: on the way out; every name but liveness is NOT_SERVING.
	Draining
	// Stopped: the server has gone.
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
