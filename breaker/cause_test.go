package breaker_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vitals-go/vitals/breaker"
)

// countedError counts the calls of its Error method, which needs the breaker: it would block if a lock were held.
type countedError struct {
	b     *breaker.Breaker
	calls *atomic.Int64
}

func (e countedError) Error() string {
	e.calls.Add(1)
	e.b.Reset()
	return strings.Repeat("x", 1<<20)
}

func TestErrorMethodRunsOncePerFailureWithoutALock(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(b *breaker.Breaker, err error){
		"Settle": func(b *breaker.Breaker, err error) {
			permit, _ := b.Allow(t.Context())
			permit.Done(err)
		},
		"Observe": func(b *breaker.Breaker, err error) { b.Observe(err) },
	} {
		b := newBreaker(t, breaker.Config{})
		cause := countedError{b, new(atomic.Int64)}
		fail(b, cause)
		for range 10 {
			failure := b.Snapshot().LastFailure
			if !errors.Is(failure, cause) || len(failure.Error()) > 8<<10 {
				t.Fatalf("%s: the snapshot has %.80v", name, failure)
			}
		}
		if n := cause.calls.Load(); n != 1 {
			t.Errorf("%s: Error was called %d times", name, n)
		}
	}
}

func TestErrorThatPanicsIsAFailure(t *testing.T) {
	t.Parallel()
	b := newBreaker(t, breaker.Config{ConsecutiveFailures: 1})
	permit, err := b.Allow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	permit.Done(hostile{})
	s := b.Snapshot()
	if s.State != breaker.Open || s.LastFailure == nil || !strings.Contains(s.LastFailure.Error(), "hostile") {
		t.Errorf("%v, last failure %v", s.State, s.LastFailure)
	}
}

func TestPanicOfClassifyIsAFailure(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*breaker.Breaker){
		"Done": func(b *breaker.Breaker) {
			permit, _ := b.Allow(context.Background())
			permit.Done(nil)
		},
		"Do": func(b *breaker.Breaker) {
			_, _ = breaker.Do(context.Background(), b, func(context.Context) (int, error) { return 0, nil })
		},
		"Check": func(b *breaker.Breaker) {
			_ = b.Check(func(context.Context) error { return nil })(context.Background())
		},
	} {
		for ending, classify := range map[string]func(error) breaker.Outcome{
			"panics": func(error) breaker.Outcome { panic("boom") },
			"exits":  func(error) breaker.Outcome { runtime.Goexit(); return breaker.Success },
		} {
			b := newBreaker(t, breaker.Config{ConsecutiveFailures: 1, Classify: classify})
			var call sync.WaitGroup
			call.Go(func() {
				defer func() { _ = recover() }()
				end(b)
			})
			call.Wait()
			if s := b.Snapshot(); s.State != breaker.Open || s.Calls.Failures != 1 {
				t.Errorf("%s, Classify %s: %v after %d failures, want open after 1", name, ending, s.State, s.Calls.Failures)
			}
		}
	}
}
