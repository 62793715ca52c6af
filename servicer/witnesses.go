package servicer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/errtext"
)

// witnesses are whom the judge hears. Each may be missing.
type witnesses struct {
	checker  checks
	recorder recorder
	breakers []breaker.SnapshotSource
}

// checks is the part of a checker.Checker that the judge needs.
type checks interface {
	Edition() *checker.Snapshot
	Changed() <-chan struct{}
}

// recorder is the part of an interceptor.Recorder that the judge needs.
type recorder interface {
	Server() *interceptor.Snapshot
}

func newWitnesses(cfg *Config) *witnesses {
	// What is nil has been reported as a mistake; the others are heard all the same, so that theirs are found too.
	w := &witnesses{breakers: slices.DeleteFunc(cfg.Breakers, func(s breaker.SnapshotSource) bool { return s == nil })}
	if cfg.Checker != nil {
		w.checker = cfg.Checker
	}
	if cfg.Recorder != nil {
		w.recorder = cfg.Recorder
	}
	return w
}

// any reports whether there is anybody to hear.
func (w *witnesses) any() bool { return w.checker != nil || w.recorder != nil || len(w.breakers) > 0 }

// testimony is what all witnesses said at one time. The texts of its errors have been captured.
type testimony struct {
	edition  uint64            // of the checker's; 0 without one
	checks   []*checker.Result // sorted by name
	breakers []breaker.Snapshot
	requests *interceptor.Snapshot
	// brokenBreakers and brokenRecorder are what asking one of them panicked with, nil if nothing did.
	brokenBreakers error
	brokenRecorder error
}

// hear asks every witness, without any lock; one caller at a time. The channel is closed when the checker has something
// newer to say; it is nil without a checker.
func (w *witnesses) hear() (said testimony, newer <-chan struct{}) {
	if w.checker != nil {
		newer = w.checker.Changed()
		edition := w.checker.Edition()
		said.edition, said.checks = edition.Revision, edition.Results
	}
	for _, source := range w.breakers {
		snapshots, broken := guarded(source.Snapshots)
		said.breakers = append(said.breakers, snapshots...)
		if broken != nil {
			said.brokenBreakers = broken
		}
	}
	slices.SortStableFunc(said.breakers, func(a, b breaker.Snapshot) int { return strings.Compare(a.Name, b.Name) })
	for i := range said.breakers {
		b := &said.breakers[i]
		b.LastFailure = errtext.Capture(b.LastFailure) // a Source of the user may return errors of any kind
	}
	if w.recorder != nil {
		requests, broken := guarded(w.recorder.Server)
		said.requests = requests
		if broken != nil {
			said.brokenRecorder = broken
		}
	}
	return said, newer
}

// guarded asks somebody who may panic: what one witness does wrong must not silence the others.
func guarded[T any](ask func() T) (answer T, broken error) {
	defer func() {
		if cause := recover(); cause != nil {
			broken = errtext.Capture(fmt.Errorf("panic: %v", cause))
		}
	}()
	return ask(), nil
}
