package vitals_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
)

// rogue is a source of breakers that panics where a mute one says nothing.
type rogue struct{ *mute }

func (r rogue) Snapshots() []breaker.Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.silent {
		panic("out of order")
	}
	return nil
}

// TestPanickingSourceIsReported has a source that the judge survives: who follows it must do so too.
func TestPanickingSourceIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		source := rogue{newMute()}
		health, err := vitals.New(vitals.Config{
			Breakers:   []breaker.SnapshotSource{source},
			Resources:  unjudged(),
			DrainDelay: -1,
			Logger:     slog.New(slog.NewTextHandler(&log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- health.Run(ctx) }()
		synctest.Wait()
		source.silence()
		synctest.Wait()
		if m, found := health.Report().Metric("circuit_breakers"); !found || m.Status != checker.Critical || m.Detail != "panic: out of order" {
			t.Errorf("the report does not say so: %+v", m)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if n := strings.Count(log.String(), "health source panicked"); n != 1 || !strings.Contains(log.String(), "out of order") {
			t.Errorf("logged %d times:\n%s", n, log.String())
		}
	})
}
