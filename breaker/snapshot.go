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
	return [...]string{Closed: "closed", HalfOpen: "half-open", Open: "open"}[min(s, Open)]
}

// Snapshot is the state of one breaker at one moment. It is HalfOpen after the open time, also without calls.
type Snapshot struct {
	Name  string
	State State
	// Since is the time of the transition to State.
	Since time.Time
	// RetryAt is the end of the open time; zero unless State is Open.
	RetryAt time.Time
	// Forced is set between ForceOpen or ForceClosed and Reset; ForcedReason is the reason given there.
	Forced       bool
	ForcedReason string
	ObserveOnly  bool
	// Created is when Calls and Transitions began to count.
	Created time.Time
	// Calls over the breaker's life.
	Calls Calls
	// Window holds the calls of the rolling window.
	Window Calls
	// Transitions counts how often each state was entered. Snapshots share it: do not modify it.
	Transitions map[State]uint64
	// LastFailure is the cause of the last failure. It wraps the call's error and holds its text, at most 4 KiB,
	// taken when the failure was recorded. It may hold secrets.
	LastFailure error
}

// countTransition counts one more transition in a copy of the map, which other snapshots share.
func (s *Snapshot) countTransition(to State) {
	s.Transitions = maps.Clone(s.Transitions)
	s.Transitions[to]++
}

// add adds the calls and transitions of another breaker to those of s.
func (s *Snapshot) add(other *Snapshot) {
	if other.Created.Before(s.Created) {
		s.Created = other.Created
	}
	s.Calls.Successes += other.Calls.Successes
	s.Calls.Failures += other.Calls.Failures
	s.Calls.Neutral += other.Calls.Neutral
	s.Calls.Slow += other.Calls.Slow
	s.Calls.Rejected += other.Calls.Rejected
	counts := maps.Clone(other.Transitions)
	for state, n := range s.Transitions {
		counts[state] += n
	}
	s.Transitions = counts
}

// stateAt returns the state at a time: half-open after the open time.
func (s *Snapshot) stateAt(now func() time.Time) State {
	if s.State == Open && !s.RetryAt.IsZero() && !now().Before(s.RetryAt) {
		return HalfOpen
	}
	return s.State
}

// Calls counts calls by result.
type Calls struct {
	Successes uint64
	Failures  uint64
	// Neutral calls are not counted in rates: see Outcome.
	Neutral uint64
	// Slow calls are also counted as Successes or Failures.
	Slow uint64
	// Rejected calls did not reach the dependency.
	Rejected uint64
}
