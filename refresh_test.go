package vitals_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

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

// An optional check warns already: a breaker that opens proves nothing new about it.
func TestOpenedBreakerRunsHealthyChecksOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := map[string]*atomic.Int64{"works": {}, "warns": {}}
		var cfg vitals.Config
		for name, count := range runs {
			b, err := breaker.New(breaker.Config{Name: name})
			if err != nil {
				t.Fatal(err)
			}
			cfg.Breakers = append(cfg.Breakers, b)
			cfg.Dependencies = append(cfg.Dependencies, checker.Check{
				Name: name, Optional: true, Interval: time.Hour, FailingInterval: time.Hour,
				Run: func(context.Context) error {
					if count.Add(1); name == "warns" {
						return errors.New("refused")
					}
					return nil
				},
			})
		}
		cfg.Resources, cfg.DrainDelay, cfg.Logger = unjudged(), -1, slog.New(slog.DiscardHandler)
		health, err := vitals.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- health.Run(ctx) }()
		time.Sleep(time.Second)
		for _, source := range cfg.Breakers {
			source.(*breaker.Breaker).TripFor(time.Minute)
		}
		time.Sleep(time.Second)
		if n, m := runs["works"].Load(), runs["warns"].Load(); n != 2 || m != 1 {
			t.Errorf("the healthy check ran %d times and the one that warns %d times, want 2 and 1", n, m)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
