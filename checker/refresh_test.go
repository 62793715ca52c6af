package checker_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
)

func TestRefreshSharesOneRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int64
		c, _ := start(t, checker.Config{Checks: []checker.Check{
			{Name: "db", Interval: time.Hour, Run: func(context.Context) error {
				runs.Add(1)
				time.Sleep(time.Second)
				return nil
			}},
		}})
		refresh := func(n int) {
			var readers sync.WaitGroup
			for range n {
				readers.Go(func() {
					asked := time.Now()
					e, err := c.Refresh(t.Context(), "db")
					if err != nil {
						t.Error(err)
						return
					}
					if r, _ := e.Lookup("db"); r.At.Before(asked) || r.Status != checker.Healthy {
						t.Errorf("refreshed at %v, the result is from %v: %v", asked, r.At, r.Status)
					}
				})
			}
			readers.Wait()
		}
		time.Sleep(time.Second / 2)
		refresh(50)
		if runs.Load() != 1 {
			t.Fatalf("%d runs, want the scheduled one to be joined", runs.Load())
		}
		time.Sleep(time.Minute)
		refresh(50)
		if runs.Load() != 2 {
			t.Fatalf("%d runs, want one more", runs.Load())
		}
		// A refresh counts as a run: the next one is an interval away.
		time.Sleep(50 * time.Minute)
		if runs.Load() != 2 {
			t.Fatalf("%d runs, want none before the interval is over", runs.Load())
		}
	})
}

func TestRefreshOfEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := start(t, checker.Config{MaxConcurrent: 1, Checks: []checker.Check{
			{Name: "a", Run: pass}, {Name: "b", Run: pass}, {Name: "c", Run: pass, InitialDelay: time.Hour},
		}})
		e, err := c.Refresh(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range e.Results {
			expect(t, *r, checker.Healthy, checker.ReasonOK, "available")
		}
	})
}

func TestRefreshErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c, stop := start(t, checker.Config{Checks: []checker.Check{
			{Name: "stuck", Interval: time.Hour, Run: func(context.Context) error { <-release; return nil }},
			{Name: "slow", Interval: time.Hour, Timeout: time.Hour, Run: obedient},
		}})
		_, err := c.Refresh(t.Context(), "stuck", "nobody", "nowhere")
		if err == nil || !strings.Contains(err.Error(), "nobody") || !strings.Contains(err.Error(), "nowhere") {
			t.Errorf("unknown names: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Refresh(ctx, "slow"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("impatient: %v", err)
		}
		time.Sleep(10 * time.Second)
		asked := time.Now()
		e, err := c.Refresh(t.Context(), "stuck")
		if took := time.Since(asked); took != 0 {
			t.Errorf("abandoned: waited %v for what cannot run", took)
		}
		if err != nil {
			t.Errorf("abandoned: %v", err)
		}
		if r, _ := e.Lookup("stuck"); r.Reason != checker.ReasonTimeout {
			t.Errorf("abandoned: %v", r.Reason)
		}
		var waiting sync.WaitGroup
		waiting.Go(func() {
			if _, err := c.Refresh(context.Background(), "slow"); err == nil {
				t.Error("a refresh survived the end of Run")
			}
		})
		synctest.Wait()
		stop()
		waiting.Wait()
		if _, err := c.Refresh(t.Context(), "slow"); err == nil {
			t.Error("a refresh began after the end of Run")
		}
		close(release)
	})
}

func TestRefreshWaitsForRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := checker.New(checker.Config{Checks: []checker.Check{{Name: "db", Run: pass}}})
		if err != nil {
			t.Fatal(err)
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Refresh(impatient); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("before Run: %v", err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if e, err := c.Refresh(t.Context()); err != nil || e.Results[0].Status != checker.Healthy {
				t.Errorf("refresh: %v", err)
			}
			stop()
		})
		synctest.Wait()
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
		running.Wait()
	})
}

func TestAddAndRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := checker.New(checker.Config{Checks: []checker.Check{{Name: "m", Run: pass}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Add(checker.Check{Name: "before", Run: pass}); err != nil {
			t.Fatal(err)
		}
		if c.Remove("nobody") {
			t.Error("removed nobody")
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = c.Run(ctx) })
		expect(t, result(t, c, "before"), checker.Healthy, checker.ReasonOK, "available")

		ended := false
		if err := c.Add(checker.Check{Name: "z", Timeout: time.Hour, Run: func(ctx context.Context) error {
			<-ctx.Done()
			ended = true
			return ctx.Err()
		}}); err != nil {
			t.Fatal(err)
		}
		if r, ok := c.Snapshot().Lookup("z"); !ok || r.Reason != checker.ReasonNotRunYet {
			t.Error("an added check is not shown at once")
		}
		if err := c.Add(checker.Check{Name: "z", Run: pass}); err == nil {
			t.Error("added twice")
		}
		var waiting sync.WaitGroup
		waiting.Go(func() {
			if _, err := c.Refresh(t.Context(), "z"); err != nil {
				t.Errorf("refresh of a removed check: %v", err)
			}
		})
		synctest.Wait()
		if !c.Remove("z") || c.Remove("z") {
			t.Error("removing works once")
		}
		waiting.Wait()
		synctest.Wait()
		if !ended {
			t.Error("the run of a removed check goes on")
		}
		var names strings.Builder
		for _, r := range c.Snapshot().Results {
			names.WriteString(r.Name + " ")
		}
		if names.String() != "before m " {
			t.Errorf("results %q", names.String())
		}
		if err := c.Add(checker.Check{Name: "z", Run: pass}); err != nil {
			t.Error(err)
		}
		expect(t, result(t, c, "z"), checker.Healthy, checker.ReasonOK, "available")
		cancel()
		running.Wait()
	})
}

// TestConcurrentUse lets everything happen together, for the race detector.
func TestConcurrentUse(t *testing.T) {
	c, err := checker.New(checker.Config{MaxConcurrent: 3})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running, hands sync.WaitGroup
	running.Go(func() { _ = c.Run(ctx) })
	for i := range 4 {
		name := string(rune('a' + i))
		hands.Go(func() {
			for range 200 {
				if err := c.Add(checker.Check{Name: name, Interval: time.Millisecond, Run: pass}); err != nil {
					t.Error(err)
				}
				if _, err := c.Refresh(ctx, name); err != nil {
					t.Error(err)
				}
				if !c.Remove(name) {
					t.Error("nothing to remove")
				}
			}
		})
	}
	running.Go(func() {
		var seq uint64
		for e := range c.Changes(ctx) {
			if e.Revision <= seq {
				t.Errorf("edition %d after %d", e.Revision, seq)
			}
			seq = e.Revision
		}
	})
	hands.Wait()
	cancel()
	running.Wait()
}

func TestQueuedChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var victim, removed atomic.Int64
		count := func(n *atomic.Int64) func(context.Context) error {
			return func(context.Context) error {
				n.Add(1)
				return nil
			}
		}
		c, _ := start(t, checker.Config{MaxConcurrent: 1, Checks: []checker.Check{
			{Name: "victim", Run: count(&victim), Interval: time.Second, Timeout: time.Second, Jitter: -1},
			{Name: "removed", Run: count(&removed), InitialDelay: time.Second},
			{Name: "hog", InitialDelay: 500 * time.Millisecond, Timeout: 10 * time.Second, Run: obedient},
		}})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !c.Remove("removed") {
			t.Error("not removed")
		}
		asked := time.Now()
		var readers sync.WaitGroup
		for range 3 {
			readers.Go(func() {
				// It expires while it waits for its turn; that is not what was asked for.
				e, err := c.Refresh(t.Context(), "victim")
				if err != nil {
					t.Error(err)
				} else if r, _ := e.Lookup("victim"); r.At.Before(asked) || r.Status != checker.Healthy {
					t.Errorf("result of %v, %v", r.At, r.Status)
				}
			})
		}
		readers.Wait()
		if took := time.Since(asked); took != 8500*time.Millisecond {
			t.Errorf("waited %v for the hog, want 8.5s", took)
		}
		synctest.Wait()
		if victim.Load() != 2 || removed.Load() != 0 {
			t.Errorf("runs: victim %d, removed %d, want 2 and 0", victim.Load(), removed.Load())
		}
	})
}

func TestRemovedStuckCheckFreesItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c, stop := start(t, checker.Config{MaxConcurrent: 1, Checks: []checker.Check{
			{Name: "stuck", Run: func(context.Context) error { <-release; return nil }},
			{Name: "next", Run: pass, InitialDelay: time.Second},
		}})
		time.Sleep(time.Second)
		expect(t, result(t, c, "next"), checker.Unknown, checker.ReasonNotRunYet, "")
		if !c.Remove("stuck") {
			t.Error("not removed")
		}
		expect(t, result(t, c, "next"), checker.Healthy, checker.ReasonOK, "available") // at once
		time.Sleep(time.Minute)
		r := result(t, c, "next")
		expect(t, r, checker.Healthy, checker.ReasonOK, "available")
		if len(c.Snapshot().Results) != 1 || r.Runs.ByStatus(checker.Healthy) < 2 {
			t.Errorf("results %d, runs %v", len(c.Snapshot().Results), r.Runs)
		}
		close(release)
		stop()
	})
}
