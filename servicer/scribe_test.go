package servicer_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// sulker is an error that says nothing more once it has been asked often enough, as one does that takes a lock which its
// driver never gives back.
type sulker struct {
	patience int64
	asked    *atomic.Int64
	released <-chan struct{}
}

func (s sulker) Error() string {
	if s.asked.Add(1) > s.patience {
		<-s.released
	}
	return "refused"
}

// TestAnErrorThatDoesNotAnswerStopsNobody gives the judge a check and a breaker whose errors never say what they are.
func TestAnErrorThatDoesNotAnswerStopsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		released := make(chan struct{})
		c := newChecker(t, checker.Check{Name: "database", Jitter: -1, Run: func(context.Context) error {
			return sulker{1, new(atomic.Int64), released} // The checker itself asks once.
		}}, checker.Check{Name: "search", Jitter: -1, Optional: true, Run: func(context.Context) error { return errors.New("no route") }})
		source := newFakeBreaker("database")
		s := newServicer(t, servicer.Config{Checker: c, Breakers: []breaker.Source{source}})
		defer run(t, c.Run)()
		defer run(t, s.Run)()
		defer close(released)
		source.set(func(b *breaker.Snapshot) {
			b.State, b.LastFailure = breaker.Open, sulker{0, new(atomic.Int64), released}
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		if _, silent := s.Report().Metric("health_judge"); silent || check(t, s, "liveness") != serves {
			t.Error("the judge is stuck")
		}
		if m := metric(t, s, "dependency_database"); m.Status != checker.Critical || m.Detail == "" {
			t.Errorf("the check's metric: %+v", m)
		}
		if m := metric(t, s, "breaker_database"); m.Status != checker.Critical || m.Detail == "" {
			t.Errorf("the breaker's metric: %+v", m)
		}
		if err := s.SetMaintenance("database", "because", time.Minute); err != nil {
			t.Error(err)
		}
		if err := s.Drain(t.Context()); err != nil || s.Phase() != servicer.Stopped {
			t.Errorf("Drain: %v, in phase %v", err, s.Phase())
		}
	})
}

// quitter is an error that ends whoever asks it.
type quitter struct{}

func (quitter) Error() string { runtime.Goexit(); return "" }

// TestAnErrorIsAskedOnce also has errors that cannot be compared, and one that ends its caller's goroutine.
func TestAnErrorIsAskedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := new(atomic.Int64)
		source, rude, quits := newFakeBreaker("database"), newFakeBreaker("cache"), newFakeBreaker("search")
		s := newServicer(t, servicer.Config{Breakers: []breaker.Source{source, rude, quits}})
		defer run(t, s.Run)()
		refused := sulker{1, asked, nil}
		for n := range 3 {
			source.set(func(b *breaker.Snapshot) { b.State, b.LastFailure, b.Calls.Failures = breaker.Open, refused, uint64(n) })
			rude.set(func(b *breaker.Snapshot) { b.State, b.LastFailure = breaker.Open, incomparable{"broken", "pipe"} })
			quits.set(func(b *breaker.Snapshot) { b.State, b.LastFailure = breaker.Open, quitter{} })
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
		for name, want := range map[string]string{
			"database": "refused", "cache": "broken pipe", "search": "an error of type servicer_test.quitter, which does not say what it is",
		} {
			if got := metric(t, s, "breaker_"+name).Detail; got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if failure := s.Report().Breakers[1].LastFailure; !errors.Is(failure, refused) || failure.Error() != "refused" {
			t.Errorf("the report's breaker has %v", failure)
		}
	})
}

type incomparable []string

func (i incomparable) Error() string { return i[0] + " " + i[1] }
