package breaker

import (
	"context"
	"iter"
	"time"
)

var (
	_ SnapshotSource = (*Breaker)(nil)
	_ SnapshotSource = (*Group)(nil)
)

// publish makes the current state the newest edition. The caller holds mu.
func (b *Breaker) publish() {
	snapshot := b.current
	b.editions.Store(&snapshot)
	if b.notifier != nil {
		b.notifier.notify()
	}
}

// stateAt derives the state: an open breaker whose time has come is half-open.
func (s *Snapshot) stateAt(now func() time.Time) State {
	if s.State == Open && !s.RetryAt.IsZero() && !now().Before(s.RetryAt) {
		return HalfOpen
	}
	return s.State
}

// Snapshot returns what is known now. It takes no lock; it costs a pass over the counters.
func (b *Breaker) Snapshot() Snapshot {
	s := *b.editions.Load()
	b.fill(&s)
	return s
}

// fill adds to an edition what changes without a transition.
func (b *Breaker) fill(s *Snapshot) {
	if s.stateAt(time.Now) != s.State {
		s.State, s.Since, s.RetryAt = HalfOpen, s.RetryAt, time.Time{}
		s.countTransition(HalfOpen)
	}
	if s.State == Closed {
		s.Consecutive = b.consecutive.Load()
	}
	if cause := b.lastFailure.Load(); cause != nil {
		s.LastFailure = *cause
	}
	calls := b.stripes.sum()
	s.Window = b.window.calls(b.sinceBirth(), calls)
	s.Calls = calls.plus(b.late.sum())
}

// Snapshots returns the breaker's own Snapshot. It implements Source.
func (b *Breaker) Snapshots() []Snapshot { return []Snapshot{b.Snapshot()} }

// Changed returns a channel that is closed at the next transition. To miss nothing, call it before Snapshot.
func (b *Breaker) Changed() <-chan struct{} {
	_, next := b.editions.Next()
	return next
}

// Changes yields the current Snapshot at once and a new one after each transition, until ctx ends or the loop is
// left. A slow reader sees the newest state; Snapshot.Transitions shows how many it has skipped.
func (b *Breaker) Changes(ctx context.Context) iter.Seq[Snapshot] {
	return func(yield func(Snapshot) bool) {
		for snapshot := range b.editions.Changes(ctx) {
			s := *snapshot
			b.fill(&s)
			if !yield(s) {
				return
			}
		}
	}
}
