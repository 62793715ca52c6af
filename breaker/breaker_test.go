package breaker_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/breaker"
)

func TestOpensHalfOpensAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		trip(t, b)
		if err := call(t, b, nil); !breaker.IsRejected(err) {
			t.Fatalf("call through an open breaker returns %v, want a rejection", err)
		}
		next := b.Snapshot().NextTry
		if wait := time.Until(next); wait < 3750*time.Millisecond || wait > 6250*time.Millisecond {
			t.Fatalf("open for %v, want 5s ± 25%%", wait)
		}
		time.Sleep(time.Until(next))
		synctest.Wait()
		wantState(t, b, breaker.HalfOpen)
		if err := call(t, b, nil); err != nil {
			t.Fatal(err)
		}
		wantState(t, b, breaker.Closed)
	})
}

func TestCheckIsAnsweredFromMemoryAndThenProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{ProbeOnly: true})
		runs := 0
		var answer error
		check := b.Check(func(context.Context) error { runs++; return answer })
		trip(t, b)
		if err := check(t.Context()); !errors.Is(err, breaker.ErrOpen) || runs != 0 {
			t.Fatalf("err %v after %d runs, want a rejection from memory", err, runs)
		}
		answer = errDown
		time.Sleep(time.Until(b.Snapshot().NextTry))
		if err := call(t, b, nil); !breaker.IsRejected(err) {
			t.Fatalf("call in half-open: %v, want a rejection: the check probes", err)
		}
		if err := check(t.Context()); !errors.Is(err, errDown) {
			t.Fatal(err)
		}
		if wait := time.Until(b.Snapshot().NextTry); wait < 7500*time.Millisecond || wait > 12500*time.Millisecond {
			t.Fatalf("open for %v, want 10s ± 25%%", wait)
		}
		answer = nil
		time.Sleep(time.Until(b.Snapshot().NextTry))
		if err := check(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantState(t, b, breaker.Closed)
	})
}
