package breaker_test

import (
	"context"
	"errors"
	"strings"
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
		next := b.Snapshot().RetryAt
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

func TestCheckIsRejectedWhileOpenAndThenProbes(t *testing.T) {
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
		time.Sleep(time.Until(b.Snapshot().RetryAt))
		if err := call(t, b, nil); !breaker.IsRejected(err) {
			t.Fatalf("call in half-open: %v, want a rejection: the check probes", err)
		}
		if err := check(t.Context()); !errors.Is(err, errDown) {
			t.Fatal(err)
		}
		if wait := time.Until(b.Snapshot().RetryAt); wait < 7500*time.Millisecond || wait > 12500*time.Millisecond {
			t.Fatalf("open for %v, want 10s ± 25%%", wait)
		}
		answer = nil
		time.Sleep(time.Until(b.Snapshot().RetryAt))
		if err := check(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantState(t, b, breaker.Closed)
	})
}

// A default that follows from another field never contradicts it.
func TestOneDurationAloneIsAValidConfig(t *testing.T) {
	for _, d := range []time.Duration{time.Millisecond, 10 * time.Millisecond, 2 * time.Second, 7 * time.Minute, 1 << 62} {
		for name, cfg := range map[string]breaker.Config{
			"Window": {Window: max(d, 10*time.Millisecond)}, "SlowCall": {SlowCall: d}, "OpenTime": {OpenTime: d},
			"MaxOpenTime": {MaxOpenTime: d}, "MaxCallTime": {MaxCallTime: d}, "Evidence": {PassiveWindow: d},
		} {
			cfg.Name = name
			if _, err := breaker.New(cfg); err != nil {
				t.Errorf("%s %v: %v", name, d, err)
			}
		}
	}
	for _, d := range []time.Duration{-1, time.Microsecond} {
		if _, err := breaker.New(breaker.Config{Name: "x", MaxOpenTime: d}); err == nil || !strings.Contains(err.Error(), "MaxOpenTime") {
			t.Errorf("MaxOpenTime %v: %v", d, err)
		}
	}
}

func TestMaxOpenTimeBelowTheDefaultOpenTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{MaxOpenTime: 2 * time.Second})
		for range 3 {
			trip(t, b)
			if wait := time.Until(b.Snapshot().RetryAt); wait <= time.Second || wait > 2*time.Second {
				t.Fatalf("open for %v, want about 2s at most", wait)
			}
			b.Reset()
		}
	})
}

func TestMaxCallTimeIsAtLeastSlowCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{SlowCall: 20 * time.Second})
		trip(t, b)
		time.Sleep(time.Until(b.Snapshot().RetryAt))
		synctest.Wait()
		_, err := breaker.Do(t.Context(), b, func(context.Context) (int, error) { time.Sleep(19 * time.Second); return 0, nil })
		if err != nil {
			t.Fatal(err)
		}
		wantState(t, b, breaker.Closed)
	})
}
