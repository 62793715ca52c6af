package servicer_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/logtest"
	"github.com/vitals-go/vitals/servicer"
)

// goexitError ends the goroutine that reads its text.
type goexitError struct{}

func (goexitError) Error() string { runtime.Goexit(); return "" }

// failingSource fails where a test sets it.
type failingSource struct {
	*fakeBreaker

	snapshots func() []breaker.Snapshot
	changes   func()
}

func (f *failingSource) Snapshots() []breaker.Snapshot {
	if f.snapshots != nil {
		return f.snapshots()
	}
	return f.fakeBreaker.Snapshots()
}

func (f *failingSource) Changed() <-chan struct{} {
	if f.changes != nil {
		f.changes()
	}
	return f.fakeBreaker.Changed()
}

func TestFailingSourceDoesNotEndEvaluation(t *testing.T) {
	for name, tt := range map[string]struct {
		source failingSource
		line   string
		fails  bool
	}{
		"Snapshots panics": {failingSource{snapshots: func() []breaker.Snapshot { panic("out of order") }}, "health source panicked", true},
		"Snapshots exits":  {failingSource{snapshots: func() []breaker.Snapshot { runtime.Goexit(); return nil }}, "health source panicked", true},
		"its error exits": {failingSource{snapshots: func() []breaker.Snapshot {
			return []breaker.Snapshot{{Name: "other", LastFailure: goexitError{}}}
		}}, "health source panicked", true},
		"Changed panics": {failingSource{changes: func() { panic("out of order") }}, "no longer trigger", false},
		"Changed exits":  {failingSource{changes: func() { runtime.Goexit() }}, "no longer trigger", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log logtest.Log
				good := newFakeBreaker("good")
				tt.source.fakeBreaker = newFakeBreaker("bad")
				s := newServer(t, servicer.Config{Breakers: []breaker.SnapshotSource{&tt.source, good}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
				stop := run(t, s.Run)
				defer stop()
				synctest.Wait()
				good.set(func(b *breaker.Snapshot) { b.State = breaker.Open })
				synctest.Wait()
				if m := metric(t, s, "breaker_good"); m.Status == checker.Healthy {
					t.Errorf("an open breaker of another source is %v", m.Status)
				}
				if m, found := s.Report().Metric("circuit_breakers"); found != tt.fails || found && m.Status != checker.Critical {
					t.Errorf("circuit_breakers: %+v, want one: %v", m, tt.fails)
				}
				if text := log.String(); strings.Count(text, tt.line) != 1 {
					t.Errorf("the log is %s, want one line %q", text, tt.line)
				}
			})
		})
	}
}

func TestChangedGatesDoNotWaitForMinPublishInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		check := checker.Check{Name: "database", Gates: []string{checker.None}, Run: func(context.Context) error { return errors.New("down") }}
		c := newChecker(t, check)
		s := newServer(t, servicer.Config{Checker: c, MinPublishInterval: time.Hour})
		defer run(t, c.Run)()
		defer run(t, s.Run)()
		time.Sleep(time.Minute)
		check.Gates = []string{checker.Readiness}
		if err := c.Replace(check); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if n, _ := s.Report().Lookup("readiness"); n.Status != stoodDown {
			t.Errorf("readiness is %v, want the new gate in force", n.Status)
		}
	})
}

func TestReplacedCheckKeepsReadiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := checker.Check{Name: "database", Run: func(context.Context) error { return nil }}
		c := newChecker(t, old)
		s := newServer(t, servicer.Config{Checker: c})
		defer run(t, c.Run)()
		defer run(t, s.Run)()
		synctest.Wait()
		var fell atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		var reader sync.WaitGroup
		reader.Go(func() {
			for r := range s.Changes(ctx) {
				if n, _ := r.Lookup("readiness"); n.Status != serves {
					fell.Add(1)
				}
			}
		})
		slow := old
		slow.Run = func(ctx context.Context) error {
			select {
			case <-time.After(3 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		slow.Gates = []string{checker.Readiness, checker.Liveness}
		for range 5 {
			if err := c.Replace(slow); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if check(t, s, "") != serves || check(t, s, "readiness") != serves {
				t.Fatal("readiness fell while a check was replaced")
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		broken := slow
		broken.Run = func(context.Context) error { return errors.New("down") }
		if err := c.Replace(broken); err != nil {
			t.Fatal(err)
		}
		if fell.Load() != 0 {
			t.Error("readiness fell before the new check had failed")
		}
		time.Sleep(time.Second)
		if check(t, s, "readiness") != stoodDown || check(t, s, "liveness") != stoodDown {
			t.Error("the new gates are not in force")
		}
		broken.Gates, broken.Optional = nil, true
		if err := c.Replace(broken); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if check(t, s, "readiness") != serves || check(t, s, "liveness") != serves {
			t.Error("an optional check gates names")
		}
		cancel()
		reader.Wait()
	})
}
