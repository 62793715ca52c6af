package servicer_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// TestNameDoesNotServeBeforeFirstSuccess starts servers whose dependency fails from the start, but not yet often enough to
// be critical: a warning serves only where there is evidence that the dependency ever worked.
func TestNameDoesNotServeBeforeFirstSuccess(t *testing.T) {
	refused := errors.New("refused")
	hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for name, tc := range map[string]struct {
		check checker.Check
		fails func(context.Context) error
		turn  time.Duration // from one result to the next
	}{
		"timeouts": {checker.Check{TimeoutThreshold: 3}, hang, 5 * time.Second},
		"errors":   {checker.Check{FailureThreshold: 3}, func(context.Context) error { return refused }, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var works atomic.Bool
				tc.check.Name, tc.check.Interval, tc.check.Jitter = "database", 5*time.Second, -1
				tc.check.Run = func(ctx context.Context) error {
					if works.Load() {
						return nil
					}
					return tc.fails(ctx)
				}
				c := newChecker(t, tc.check)
				s := newServer(t, servicer.Config{Checker: c, Services: []string{"shop.v1.Orders"}})
				defer run(t, c.Run)()
				defer run(t, s.Run)()
				serve := func(want bool, what string) {
					t.Helper()
					synctest.Wait()
					for _, name := range []string{"", "readiness", "shop.v1.Orders"} {
						if got := check(t, s, name) == serves; got != want {
							t.Errorf("%s: %q serves: %v", what, name, got)
						}
					}
				}
				time.Sleep(tc.turn + time.Millisecond)
				serve(false, "failed once, never passed")
				if got := metric(t, s, "dependency_database").Status; got != checker.Warning || s.Phase() != servicer.Ready {
					t.Errorf("the metric is %v, the phase %v; want a warning of a process that has started", got, s.Phase())
				}
				works.Store(true)
				time.Sleep(2 * tc.turn)
				serve(true, "passed")
				works.Store(false)
				time.Sleep(2*tc.turn - 2*time.Millisecond)
				serve(true, "failed once or twice, after it has passed")
				time.Sleep(3 * tc.turn)
				serve(false, "critical")
			})
		})
	}
}
