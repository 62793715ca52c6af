package checker

import (
	"context"
	"time"
)

// Check describes one check: what to call, when, and what its failure means. The zero value of every optional field
// is the default that the field documents.
type Check struct {
	// Name identifies the check at every door. Required; unique within a Checker; at most 128 bytes of printable
	// text. It may not be the name of a probe: liveness, readiness, startup or none.
	Name string

	// Run asks: nil means available, an error means unavailable. (*sql.DB).PingContext fits as it is.
	// The context ends at Timeout. Exactly one of Run and Measure is required.
	Run func(context.Context) error

	// Measure returns a number, which Warning and Critical limit.
	Measure func(context.Context) (Measurement, error)

	// Warning and Critical are the limits of what Measure returns, such as Above(80) or Below(1). A zero Limit judges
	// nothing. Both must be on the same side, and Warning not beyond Critical.
	Warning, Critical Limit

	// Kind says what the check speaks about; it decides the metric's name in the report and what the check gates.
	Kind Kind

	// Title is the noun of the public message, such as "CPU usage". Default: made from Kind and Name. It is shown to
	// everybody, so it must hold no secret.
	Title string

	// Interval is the time from one run's start to the next one's. Default 30 s.
	Interval time.Duration
	// FailingInterval replaces Interval while the check is not healthy. Default: the smaller of 5 s and Interval.
	FailingInterval time.Duration
	// Timeout bounds one run, retries included. A check that ignores its context is abandoned then. Default 5 s.
	Timeout time.Duration
	// InitialDelay postpones the first run. Default 0: the first run starts at once.
	InitialDelay time.Duration
	// Jitter spreads each interval by up to this share, either way. Default 0.1; negative means none; at most 1.
	Jitter float64
	// Retries repeats a failing run within the same Timeout, after a pause that begins at 1/50 of it and doubles,
	// before it counts. Default 0. Timeouts, panics and open circuits are not repeated.
	Retries int

	// FailureThreshold is how many failures in a row make the check critical (warning before). Default 1.
	FailureThreshold int
	// TimeoutThreshold is how many timeouts in a row make the check critical (warning before). Default 3.
	TimeoutThreshold int
	// SuccessThreshold is how many successes in a row make a failed check healthy again. Default 1.
	SuccessThreshold int

	// Optional caps the check at warning: its failure is shown and logged, but gates nothing.
	Optional bool

	// Gates lists the names that cannot serve while this check is critical or unknown: Readiness (which stands for
	// the overall name "", readiness and every service), Liveness, Startup, or single gRPC services by full name.
	// Default: by Kind, see there; nothing if Optional. None gates nothing.
	Gates []string
}

// The probes that a check can gate. They are also names of the gRPC health service.
const (
	Liveness  = "liveness"
	Readiness = "readiness"
	Startup   = "startup"
	None      = "none"
)

// Kind says what a check speaks about.
type Kind uint8

// The kinds of checks.
const (
	// Dependency is something the process needs: a database, a cache, another service. It gates Readiness and is
	// reported as dependency_<name>.
	Dependency Kind = iota
	// Resource is something the process uses up: CPU, memory, disk. It gates nothing and is reported as <name>. A
	// resource that cannot be sampled is reported as system_resources.
	Resource
	// Process is the process itself: a heartbeat, a wedged loop. It gates Liveness and is reported as <name>.
	Process
)

// String returns dependency, resource or process.
func (k Kind) String() string {
	switch k {
	case Resource:
		return "resource"
	case Process:
		return "process"
	default:
		return "dependency"
	}
}
