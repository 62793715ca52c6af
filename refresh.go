package vitals

import (
	"context"
	"log/slog"
	"sync"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
)

// refreshOnTrip runs a check at once when traffic has opened the breaker of the same name, rather than at the check's next
// turn: the verdict must not call a dependency healthy that nobody can use. It returns nil when ctx ends.
func (h *Health) refreshOnTrip(ctx context.Context) error {
	var following sync.WaitGroup
	defer following.Wait()
	for _, source := range h.cfg.Breakers {
		following.Go(func() { h.refreshOnSource(ctx, &following, source) })
	}
	return nil
}

// refreshOnSource survives a source that panics: the judge does, and tells what comes of it.
func (h *Health) refreshOnSource(ctx context.Context, following *sync.WaitGroup, source breaker.SnapshotSource) {
	defer func() {
		if cause := recover(); cause != nil {
			h.log.LogAttrs(ctx, slog.LevelError, "a source of breakers panicked; what it says no longer runs a check at once",
				slog.Any("panic", cause))
		}
	}()
	opened := map[string]uint64{}
	for {
		// Fetched before looking, so that no transition falls between the two.
		changed := source.Changed()
		for _, b := range source.Snapshots() {
			if b.State != breaker.Open || b.Transitions[breaker.Open] == opened[b.Name] {
				continue
			}
			opened[b.Name] = b.Transitions[breaker.Open]
			if last, known := h.Checker.Snapshot().Lookup(b.Name); known && last.Status == checker.Healthy {
				// One that is not guarded by the breaker may take its time. It fails when the checker ends, as we do.
				following.Go(func() { _, _ = h.Checker.Refresh(ctx, b.Name) })
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
