package servicer_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// Ten thousand watches, and as many Checks, cost the dependency one run per interval, as without any watch.
func TestReadersNeverRunChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs, told atomic.Int64
		var broken atomic.Bool
		checks, err := checker.New(checker.Config{Checks: []checker.Check{{
			Name: "database", Interval: 30 * time.Second, FailingInterval: 30 * time.Second, Jitter: -1,
			Run: func(context.Context) error {
				runs.Add(1)
				if broken.Load() {
					return errors.New("down")
				}
				return nil
			},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		s := newServer(t, servicer.Config{Checker: checks})
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = checks.Run(ctx) })
		running.Go(func() { _ = s.Run(ctx) })
		synctest.Wait()

		const watchers = 10_000
		for range watchers {
			stream := &fakeStream{ctx: ctx, send: func(servingStatus) error { told.Add(1); return nil }}
			running.Go(func() { _ = s.Watch(&healthpb.HealthCheckRequest{Service: "readiness"}, stream) })
		}
		synctest.Wait()
		if got := told.Load(); got != watchers {
			t.Errorf("%d first messages to %d watches", got, watchers)
		}
		told.Store(0)
		for range 10 {
			broken.Store(!broken.Load())
			for range 1000 {
				if _, err := s.Check(ctx, &healthpb.HealthCheckRequest{Service: "readiness"}); err != nil {
					t.Fatal(err)
				}
				s.Report()
			}
			time.Sleep(30 * time.Second)
			synctest.Wait()
		}
		if got := told.Load(); got != 10*watchers {
			t.Errorf("%d messages about 10 flips to %d watches", got, watchers)
		}
		if got := runs.Load(); got != 11 {
			t.Errorf("the dependency was asked %d times in 10 intervals, want 11", got)
		}
		stop()
		running.Wait()
	})
}
