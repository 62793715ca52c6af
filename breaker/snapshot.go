package breaker

import (
	"maps"
	"time"
)

// State of a circuit breaker. The zero value is Closed.
type State uint8

// The states.
const (
	Closed State = iota
	HalfOpen
	Open
)

// String returns closed, half-open or open.
func (s State) String() string {
	switch s {
	case HalfOpen:
		return "half-open"
	case Open:
		return "open"
	default:
		return "closed"
	}
}

// Snapshot is what is known about one breaker at one moment. It is plain data, and true even when nobody calls: an
// open breaker whose time has come is HalfOpen here.
type Snapshot struct {
	Name  string
	State State
	// Since is when State was entered.
	Since time.Time
	// RetryAt is when an open breaker lets the next probe through; zero unless State is Open.
	RetryAt time.Time
	// Forced says that an operator holds the state; ForcedReason is the operator's word for it.
	Forced       bool
	ForcedReason string
	// ObserveOnly breakers judge but reject nothing.
	ObserveOnly bool
	// Consecutive failures, counted outside the window.
	Consecutive uint32
	// Calls over the breaker's life, by result.
	Calls Calls
	// Window are the calls of the rolling window.
	Window Calls
	// Transitions counts how often each state was entered. Snapshots share it: do not modify it.
	Transitions map[State]uint64
	// LastFailure is the cause of the last failure. It wraps the call's error, whose text was taken once, when the
	// failure was recorded: at most 4 KiB. It may hold secrets.
	LastFailure error
}

// countTransition counts one more transition, in a map of its own: other snapshots share the old one.
func (s *Snapshot) countTransition(to State) {
	s.Transitions = maps.Clone(s.Transitions)
	s.Transitions[to]++
}

// Calls counts calls by result.
type Calls struct {
	Successes uint64
	Failures  uint64
	// Neutral calls say nothing about the dependency: cancelled, expired before the call, contention.
	Neutral uint64
	// Slow calls are also counted as successes or failures.
	Slow uint64
	// Rejected calls never reached the dependency.
	Rejected uint64
}

// SnapshotSource yields breakers for a report: a *Breaker is a Source of one, a *Group of as many as it has made.
type SnapshotSource interface {
	// Snapshots returns the current state of every breaker, sorted by name. It takes no lock that a call needs.
	Snapshots() []Snapshot
	// Changed returns a channel that is closed at the next transition of any of them.
	Changed() <-chan struct{}
}
