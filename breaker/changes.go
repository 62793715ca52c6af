package breaker

import (
	"context"
	"iter"
	"time"
)

// SnapshotSource provides breakers for a report. *Breaker and *Group implement it.
type SnapshotSource interface {
	// Snapshots returns the current state of every breaker, sorted by name. It must not block.
	Snapshots() []Snapshot
	// Changed returns a channel that is closed at the next transition of any of them. Call it before Snapshots.
	Changed() <-chan struct{}
}

// publish makes current the newest snapshot. The caller holds mu.
func (b *Breaker) publish() {
	snapshot := b.current
	b.snapshots.Store(&snapshot)
	if b.group != nil {
		b.group.Store(&struct{}{})
	}
}

// Snapshot returns the current state. It takes no lock; it costs one pass over the counters.
func (b *Breaker) Snapshot() Snapshot { return b.complete(*b.snapshots.Load()) }

// complete adds to a stored snapshot what changes without a transition.
func (b *Breaker) complete(s Snapshot) Snapshot {
	if s.stateAt(time.Now) != s.State {
		s.State, s.Since, s.RetryAt = HalfOpen, s.RetryAt, time.Time{}
		s.countTransition(HalfOpen)
	}
	if cause := b.lastFailure.Load(); cause != nil {
		s.LastFailure = *cause
	}
	s.Calls = b.stripes.sum()
	s.Window = b.window.calls(b.elapsed(), s.Calls)
	b.late.addTo(&s.Calls)
	return s
}

// Snapshots returns the Snapshot as a slice of one. It implements SnapshotSource.
func (b *Breaker) Snapshots() []Snapshot { return []Snapshot{b.Snapshot()} }

// Changed returns a channel that is closed at the next transition. Call it before Snapshot.
func (b *Breaker) Changed() <-chan struct{} { return b.snapshots.Changed() }

// Changes yields the current Snapshot and then one after each transition, until ctx ends. A slow reader gets the newest
// one only; Snapshot.Transitions shows what it skipped.
func (b *Breaker) Changes(ctx context.Context) iter.Seq[Snapshot] {
	return func(yield func(Snapshot) bool) {
		for s := range b.snapshots.Changes(ctx) {
			if !yield(b.complete(*s)) {
				return
			}
		}
	}
}
