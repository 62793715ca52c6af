package breaker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/breaker"
)

// probeOf is a check that pings through a client protected by b.
func probeOf(b *breaker.Breaker) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := breaker.Do(ctx, b, func(context.Context) (int, error) { return 0, nil })
		return err
	}
}

func TestRejectionDoesNotRevealTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{Jitter: -1})
		trip(t, b)
		err := call(t, b, nil)
		rejection, ok := errors.AsType[*breaker.OpenError](err)
		if !ok || !errors.Is(err, breaker.ErrOpen) || !errors.Is(err, gobreaker.ErrOpenState) ||
			errors.Is(err, gobreaker.ErrTooManyRequests) || errors.Is(err, errDown) {
			t.Fatalf("%v is not the rejection of an open breaker", err)
		}
		if rejection.Name != "database" || rejection.State != breaker.Open || !rejection.CircuitOpen() ||
			rejection.RetryAfter() != 5*time.Second || !errors.Is(b.Snapshot().LastFailure, errDown) {
			t.Fatalf("%+v", rejection)
		}
		st := status.Convert(err)
		if st.Code() != codes.Unavailable || strings.Contains(st.String()+err.Error(), "hunter2") {
			t.Fatalf("status is %v", st)
		}
		var reason string
		var delay time.Duration
		for _, detail := range st.Details() {
			switch detail := detail.(type) {
			case *errdetails.ErrorInfo:
				reason = detail.GetReason()
				if detail.GetDomain() == "" || strings.Contains(detail.String(), "hunter2") {
					t.Errorf("%v", detail)
				}
			case *errdetails.RetryInfo:
				delay = detail.GetRetryDelay().AsDuration()
			}
		}
		if reason != "CIRCUIT_OPEN" || delay != 5*time.Second {
			t.Fatalf("reason %q, delay %v", reason, delay)
		}
		untilDue(t, b)
		if _, err := b.Allow(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := call(t, b, nil); !errors.Is(err, breaker.ErrOpen) || !errors.Is(err, gobreaker.ErrTooManyRequests) {
			t.Fatalf("%v is not the rejection of a half-open breaker", err)
		}
	})
}

func TestTripForOpensForAtLeastThatLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		b.TripFor(-time.Second)
		wantState(t, b, breaker.Closed)
		b.TripFor(20 * time.Second)
		if wait := time.Until(b.Snapshot().RetryAt); wait < 20*time.Second || wait > 25*time.Second {
			t.Fatalf("open for %v, want 20s to 25s", wait)
		}
		before := b.Snapshot().RetryAt
		b.TripFor(time.Second)
		if !b.Snapshot().RetryAt.Equal(before) {
			t.Fatal("a shorter trip has shortened the open time")
		}
		b.TripFor(time.Hour)
		if wait := time.Until(b.Snapshot().RetryAt); wait != 5*time.Minute {
			t.Fatalf("open for %v, want MaxOpenTime", wait)
		}
		untilDue(t, b)
		probe, err := b.Allow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b.TripFor(10 * time.Second)
		probe.Done(nil) // Too late: TripFor ended the probe.
		wantState(t, b, breaker.Open)
		untilDue(t, b)
		call(t, b, nil)
		wantState(t, b, breaker.Closed)
	})
}

func TestForcedStateStaysUntilReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		runs := 0
		check := b.Check(func(context.Context) error { runs++; return nil })
		b.ForceOpen("maintenance")
		time.Sleep(time.Hour)
		if s := b.Snapshot(); s.State != breaker.Open || !s.Forced || s.ForcedReason != "maintenance" || !s.RetryAt.IsZero() {
			t.Fatalf("%+v", s)
		}
		if err := check(t.Context()); !breaker.IsRejected(err) || runs != 0 {
			t.Fatalf("check: %v after %d runs", err, runs)
		}
		b.Observe(nil)
		b.TripFor(time.Minute)
		wantState(t, b, breaker.Open)

		b.ForceClosed("we know")
		for range 100 {
			if err := call(t, b, errDown); !errors.Is(err, errDown) {
				t.Fatal(err)
			}
		}
		b.TripFor(time.Minute)
		wantState(t, b, breaker.Closed)

		b.Reset()
		if s := b.Snapshot(); s.Forced || s.ForcedReason != "" || breaker.Consecutive(b) != 0 || s.Calls.Failures != 100 {
			t.Fatalf("%+v", s)
		}
		trip(t, b)
		b.Reset()
		if err := call(t, b, nil); err != nil {
			t.Fatal(err)
		}
	})
}

// With ForceClosed or ObserveOnly the window shows what the rules would do.
func TestWindowCountsWhileForcedClosedOrObserveOnly(t *testing.T) {
	for name, prepare := range map[string]func(*breaker.Breaker){
		"observed open": func(b *breaker.Breaker) { b.TripFor(time.Hour) },
		"forced closed": func(b *breaker.Breaker) { b.ForceClosed("we know") },
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBreaker(t, breaker.Config{ObserveOnly: true})
			prepare(b)
			for range 120 {
				call(t, b, errDown)
				time.Sleep(time.Second)
			}
			s := b.Snapshot()
			if n := s.Window.Failures; n < 27 || n > 30 {
				t.Errorf("%s: %d failures in the window, want those of 30 s", name, n)
			}
			if s.State == breaker.Closed && breaker.Consecutive(b) != 120 {
				t.Errorf("%s: %d failures in a row, want 120", name, breaker.Consecutive(b))
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			if w := b.Snapshot().Window; w != (breaker.Calls{}) {
				t.Errorf("%s: %+v an hour later, want an empty window", name, w)
			}
		})
	}
}

func TestObserveOnlyPublishesStatesAndRejectsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{ObserveOnly: true})
		trip(t, b)
		for range 10 {
			if err := call(t, b, nil); err != nil {
				t.Fatal(err)
			}
		}
		wantState(t, b, breaker.Open)
		untilDue(t, b)
		probe, err := b.Allow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := call(t, b, errDown); !errors.Is(err, errDown) {
			t.Fatal(err)
		}
		wantState(t, b, breaker.HalfOpen)
		probe.Done(nil)
		if s := b.Snapshot(); s.State != breaker.Closed || s.Calls.Rejected != 0 || !s.ObserveOnly {
			t.Fatalf("%+v", s)
		}
	})
}

func TestCheckMayUseTheProtectedClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{ProbeOnly: true})
		check := b.Check(probeOf(b))
		trip(t, b)
		untilDue(t, b)
		if err := check(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := b.Snapshot(); s.State != breaker.Closed || s.Calls.Successes != 1 {
			t.Fatalf("%+v, want closed by one call", s)
		}
	})
}

func TestFailingCheckThroughTheProtectedClientCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		var client, own error
		check := b.Check(func(ctx context.Context) error {
			_, err := breaker.Do(ctx, b, func(context.Context) (int, error) { return 0, client })
			return errors.Join(err, own)
		})
		client = errDown
		for n := range 4 {
			_ = check(t.Context())
			if s := b.Snapshot(); s.State != breaker.Closed || int(breaker.Consecutive(b)) != n+1 {
				t.Fatalf("%v with %d failures in a row after %d runs", s.State, breaker.Consecutive(b), n+1)
			}
		}
		client, own = nil, errDown
		_ = check(t.Context())
		if got := breaker.Consecutive(b); got != 1 {
			t.Fatalf("%d failures in a row, want the check's own to count", got)
		}
	})
}

// One breaker per method inside one per target: one call is the probe of both.
func TestOneCallIsTheProbeOfNestedBreakers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newBreaker(t, breaker.Config{Name: "target", ProbeOnly: true})
		method := newBreaker(t, breaker.Config{Name: "method"})
		check := target.Check(func(ctx context.Context) error {
			_, err := breaker.Do(ctx, method, func(ctx context.Context) (int, error) { return 0, probeOf(target)(ctx) })
			return err
		})
		trip(t, target)
		trip(t, method)
		time.Sleep(time.Minute)
		if err := check(t.Context()); err != nil {
			t.Fatalf("the probe is rejected by its own breaker: %v", err)
		}
		wantState(t, target, breaker.Closed)
		wantState(t, method, breaker.Closed)
	})
}

func TestNeutralNestedCallLeavesTheProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		trip(t, b)
		untilDue(t, b)
		probe, err := b.Allow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		nested, err := b.Allow(probe.Context())
		if err != nil {
			t.Fatal(err)
		}
		nested.Record(breaker.Neutral, nil)
		probe.Record(breaker.Neutral, nil)
		if err := call(t, b, nil); err != nil {
			t.Fatalf("no other call probes: %v", err)
		}
		wantState(t, b, breaker.Closed)
	})
}

func TestProbingCheckHasItsOwnDeadlineAndTheCallersCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		check := b.Check(func(ctx context.Context) error {
			select {
			case <-time.After(3 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		trip(t, b)
		untilDue(t, b)
		canceled, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := check(canceled); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		wantState(t, b, breaker.HalfOpen) // Neutral: the slot is free.
		impatient, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		if err := check(impatient); err != nil {
			t.Fatalf("the caller's deadline has cut the probe short: %v", err)
		}
		wantState(t, b, breaker.Closed)
	})
}

func TestProbeOnlyEndsAfterAMinuteWithoutACheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{ProbeOnly: true})
		b.Check(func(context.Context) error { return nil })
		trip(t, b)
		untilDue(t, b)
		time.Sleep(59 * time.Second)
		if err := call(t, b, nil); !breaker.IsRejected(err) {
			t.Fatalf("a call probes: %v", err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if err := call(t, b, nil); err != nil {
			t.Fatal(err)
		}
		wantState(t, b, breaker.Closed)
	})
}

// Each of two nested breakers waits for its own check, which the other one rejects, for a minute at most.
func TestProbeOnlyEndsAfterAMinuteWithoutAResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newBreaker(t, breaker.Config{Name: "target", ProbeOnly: true})
		method := newBreaker(t, breaker.Config{Name: "method", ProbeOnly: true})
		ping := func(ctx context.Context) error {
			_, err := breaker.Do(ctx, method, func(ctx context.Context) (int, error) { return 0, probeOf(target)(ctx) })
			return err
		}
		checks := []func(context.Context) error{target.Check(ping), method.Check(ping)}
		trip(t, target)
		trip(t, method)
		for range 20 {
			time.Sleep(5 * time.Second)
			for _, check := range checks {
				_ = check(t.Context())
			}
		}
		wantState(t, target, breaker.Closed)
		wantState(t, method, breaker.Closed)
	})
}

func TestResetForgetsFailedProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{OpenTime: time.Second, Jitter: -1})
		openTime := func() time.Duration { return time.Until(b.Snapshot().RetryAt) }
		trip(t, b)
		for range 3 {
			untilDue(t, b)
			call(t, b, errDown)
		}
		if got := openTime(); got != 8*time.Second {
			t.Fatalf("open for %v after three failed probes, want 8s", got)
		}
		b.Reset()
		trip(t, b)
		if got := openTime(); got != time.Second {
			t.Errorf("open for %v after Reset, want 1s", got)
		}
	})
}

func TestSlowProbeIsTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{SlowCall: time.Second})
		trip(t, b)
		untilDue(t, b)
		_, _ = breaker.Do(t.Context(), b, func(context.Context) (int, error) { time.Sleep(2 * time.Second); return 0, nil })
		wantState(t, b, breaker.Open)
		if cause := b.Snapshot().LastFailure; cause == nil || !strings.Contains(cause.Error(), "slow") {
			t.Errorf("the last failure is %v, want that calls are slow", cause)
		}
	})
}

func TestCallCountsUntilItIsAsOldAsTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{Window: 10 * time.Second})
		call(t, b, nil) // begins the window
		time.Sleep(time.Second / 2)
		call(t, b, errDown)
		time.Sleep(9*time.Second + time.Second/2)
		synctest.Wait()
		if w := b.Snapshot().Window; w.Failures != 1 {
			t.Errorf("got %+v after 9.5s, want the failure", w)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if w := b.Snapshot().Window; w.Failures != 0 {
			t.Errorf("got %+v after 11.5s, want nothing", w)
		}
	})
}

func TestObserveClosesAndReopens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		trip(t, b)
		b.Observe(nil)
		wantState(t, b, breaker.Closed)
		trip(t, b)
		b.Observe(errDown)
		wantState(t, b, breaker.Open)
		untilDue(t, b)
		b.Observe(errDown)
		wantState(t, b, breaker.Open)
		b.Reset()
		for range 5 {
			b.Observe(errDown)
		}
		wantState(t, b, breaker.Open)
	})
}

func TestPassingCheckClosesABreakerThatOpenedDuringTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		check := b.Check(func(context.Context) error { trip(t, b); return nil })
		if err := check(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantState(t, b, breaker.Closed)
	})
}

func TestConfirmEndsTheProbeDuringTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		trip(t, b)
		untilDue(t, b)
		stream, err := b.Allow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		stream.Confirm()
		stream.Confirm()
		wantState(t, b, breaker.Closed)
		time.Sleep(time.Hour) // The probe has ended: no timeout.
		wantState(t, b, breaker.Closed)
		stream.Done(errDown)
		if got := breaker.Consecutive(b); got != 1 {
			t.Fatalf("%d failures, want the stream's end to count", got)
		}
	})
}
