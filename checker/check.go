package checker

import (
	"context"
	"time"
)

// Check describes one check: what to call, when, and what its failure means.
type Check struct {
	// Name identifies the check. Required; unique within a Checker; at most 128 bytes of printable text; not liveness,
	// readiness, startup or none.
	Name string

	// Run returns nil if what it checks is available. Its context ends at Timeout. (*sql.DB).PingContext fits. Exactly
	// one of Run, Measure and TTL is required.
	Run func(context.Context) error
	// Measure returns a number, which Warning and Critical limit.
	Measure func(context.Context) (Measurement, error)
	// TTL is for results that the application pushes (Checker.Push): the check is never run, and unknown TTL after the last
	// push. Interval, Timeout and what else concerns runs have no effect.
	TTL time.Duration
	// Warning and Critical are the limits of what is measured, such as Above(80) or Below(1). A zero Limit judges
	// nothing. Both must be on the same side, and Warning not beyond Critical.
	Warning, Critical Limit

	// Kind selects the metric's name in the report and what the check gates. Default Dependency.
	Kind Kind
	// Title is the noun of the public message, such as "CPU usage", at most 256 bytes of printable text, and must hold no
	// secret. Default: from Kind and Name.
	Title string

	// Interval is the time from the start of one run to the next. Default 30 s.
	Interval time.Duration
	// FailingInterval replaces Interval while the check is neither healthy nor degraded. Default: the smaller of 5 s and Interval.
	FailingInterval time.Duration
	// Timeout bounds one run, retries included. A run that ignores its context is abandoned then. Default 5 s.
	Timeout time.Duration
	// SlowShare is the share of Timeout from which on a success counts as Degraded, so that a dependency warns before it fails.
	// A run during which the process got too little CPU is not counted. Default 0.8; negative means never; at most 1.
	SlowShare float64
	// InitialDelay postpones the first run. Default 0.
	InitialDelay time.Duration
	// Jitter shifts each interval by up to this share, either way. Default 0.1; negative means none; at most 1. Checks
	// that may start together by their jitter do, up to 32 at once, so that an idle process wakes up less often.
	Jitter float64
	// Retries repeats a failing run within the same Timeout, after a pause that begins at 1/50 of it and doubles.
	// Timeouts, panics and open circuits are not repeated. Default 0.
	Retries int

	// FailureThreshold is the number of failures in a row that make the check critical; fewer are a warning. Default 1.
	FailureThreshold int
	// TimeoutThreshold is the same for timeouts in a row. Default 3.
	TimeoutThreshold int
	// SuccessThreshold is the number of successes in a row that make a failed check healthy. Default 1.
	SuccessThreshold int

	// Optional limits the check to warning: its failure or missing result is reported and logged, but gates nothing.
	Optional bool
	// Shadow observes what the check would do: in reports it counts as Optional, and names that it would keep from serving are in
	// servicer.Report.Shadow, in the log, in transitions and metrics. Not together with Optional.
	Shadow bool
	// DependsOn names checks of the same Checker whose failure explains one of this: a check of orders depends on that of the
	// database behind it. While such a check fails, the result of this one has it as CausedBy, and is logged for debugging only.
	// The status is the same.
	DependsOn []string
	// Gates lists the names that cannot serve while this check is critical or unknown: Readiness (which includes the
	// overall name "" and every service), Liveness, Startup, or gRPC services by full name. Default: by Kind; nothing if
	// Optional. None gates nothing.
	Gates []string
}

// The probes that a check can gate. They are also names of the gRPC health service.
const (
	Liveness  = "liveness"
	Readiness = "readiness"
	Startup   = "startup"
	None      = "none"
)

// Kind is the subject of a check.
type Kind uint8

// The kinds of checks.
const (
	// Dependency is what the process needs, such as a database. It gates Readiness; its metric is dependency_<name>.
	Dependency Kind = iota
	// Resource is what the process uses, such as memory. It gates nothing; its metric is <name>, or system_resources if
	// it cannot be sampled.
	Resource
	// Process is the process itself, such as a main loop. It gates Liveness; its metric is <name>.
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

// Measurement is a number that a check returned.
type Measurement struct {
	// Value in Unit.
	Value float64
	// Unit is bare: "%" or "ms". Default "1", for numbers without a unit.
	Unit string
	// Source describes publicly what Value was measured against: "of the cgroup limit (512 MiB)".
	Source string
}
