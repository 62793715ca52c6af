package breaker_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/breaker"
)

// untilDue sleeps until an open breaker is half-open.
func untilDue(t testing.TB, b *breaker.Breaker) {
	t.Helper()
	time.Sleep(time.Until(b.Snapshot().RetryAt))
	synctest.Wait()
	wantState(t, b, breaker.HalfOpen)
}

func TestReaderMayUseTheBreakerAtEachTransition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		var seen []breaker.State
		var reader sync.WaitGroup
		reader.Go(func() {
			for s := range b.Changes(ctx) {
				if b.State() != s.State {
					t.Errorf("State is %v in the edition for %v", b.State(), s.State)
				}
				seen = append(seen, s.State)
			}
		})
		synctest.Wait()
		trip(t, b)
		synctest.Wait()
		time.Sleep(time.Until(b.Snapshot().RetryAt)) // Nobody calls.
		synctest.Wait()
		call(t, b, nil)
		synctest.Wait()
		cancel()
		reader.Wait()
		want := []breaker.State{breaker.Closed, breaker.Open, breaker.HalfOpen, breaker.Closed}
		if !slices.Equal(seen, want) {
			t.Fatalf("seen %v, want %v", seen, want)
		}
	})
}

func TestChangedIsClosedAfterTheOpenTimeWithoutCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		trip(t, b)
		due := b.Snapshot().RetryAt
		<-b.Changed()
		if !time.Now().Equal(due) {
			t.Fatalf("notified %v after the open time", time.Since(due))
		}
	})
}

func TestProbeFailsAfterMaxCallTime(t *testing.T) {
	endings := map[string]func(*breaker.Breaker){
		"forgotten permit": func(b *breaker.Breaker) { _, _ = b.Allow(context.Background()) },
		"Goexit": func(b *breaker.Breaker) {
			_, _ = breaker.Do(context.Background(), b, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })
		},
		"panic": func(b *breaker.Breaker) {
			defer func() { _ = recover() }()
			_, _ = breaker.Do(context.Background(), b, func(context.Context) (int, error) { panic("boom") })
		},
	}
	for name, end := range endings {
		synctest.Test(t, func(t *testing.T) {
			b := newBreaker(t, breaker.Config{MaxCallTime: 3 * time.Second})
			trip(t, b)
			untilDue(t, b)
			var probe sync.WaitGroup
			probe.Go(func() { end(b) })
			probe.Wait()
			time.Sleep(3 * time.Second)
			synctest.Wait()
			if s := b.Snapshot(); s.State != breaker.Open || s.Transitions[breaker.Open] != 2 || s.LastFailure == nil {
				t.Errorf("%s: %+v, want open for the second time", name, s)
			}
			untilDue(t, b)
			if err := call(t, b, nil); err != nil || b.State() != breaker.Closed {
				t.Errorf("%s: does not recover: %v", name, err)
			}
		})
	}
}

func TestPanicPropagatesAndCountsOnce(t *testing.T) {
	b := newBreaker(t, breaker.Config{})
	func() {
		defer func() {
			if r := recover(); r != "boom" {
				t.Errorf("recovered %v, want the panic's own value", r)
			}
		}()
		_, _ = breaker.Do(t.Context(), b, func(context.Context) (int, error) { panic("boom") })
	}()
	if s := b.Snapshot(); s.Calls.Failures != 1 || breaker.Consecutive(b) != 1 {
		t.Fatalf("%+v, want one failure", s.Calls)
	}
}

func TestWindowIsEmptyAfterAnIdleHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		call(t, b, errDown)
		if w := b.Snapshot().Window; w.Failures != 1 {
			t.Fatalf("%+v, want the failure", w)
		}
		time.Sleep(time.Hour)
		if s := b.Snapshot(); s.Window != (breaker.Calls{}) || s.Calls.Failures != 1 {
			t.Fatalf("window %+v of %+v, want it empty", s.Window, s.Calls)
		}
	})
}

func TestOldResultsLeaveTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{ConsecutiveFailures: -1})
		for range 1000 {
			call(t, b, nil)
		}
		for range 12 { // Traffic goes on, so that the window keeps turning.
			time.Sleep(3 * time.Second)
			call(t, b, nil)
		}
		for range 19 {
			call(t, b, errDown)
		}
		wantState(t, b, breaker.Open)
	})
}

func TestConsecutiveFailuresCountOverAnyTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		for n := range 5 {
			wantState(t, b, breaker.Closed)
			if got := breaker.Consecutive(b); got != uint32(n) {
				t.Fatalf("%d in a row, want %d", got, n)
			}
			call(t, b, errDown)
			time.Sleep(time.Second) // Less than any open time.
			if n < 4 {
				time.Sleep(10 * time.Minute)
			}
		}
		wantState(t, b, breaker.Open)
	})
}

func TestCallsInFlightAndNeutralCallsDoNotDiluteTheRate(t *testing.T) {
	b := newBreaker(t, breaker.Config{ConsecutiveFailures: -1})
	for range 100 {
		if _, err := b.Allow(t.Context()); err != nil { // In flight for ever.
			t.Fatal(err)
		}
		call(t, b, context.Canceled)
	}
	for range 10 {
		call(t, b, nil)
	}
	for n := range 10 {
		wantState(t, b, breaker.Closed)
		if call(t, b, errDown); n == 0 {
			call(t, b, context.Canceled)
		}
	}
	wantState(t, b, breaker.Open)
}

func TestNeutralCallsDoNotInterruptConsecutiveFailures(t *testing.T) {
	b := newBreaker(t, breaker.Config{})
	for range 5 {
		call(t, b, errDown)
		call(t, b, context.Canceled)
	}
	wantState(t, b, breaker.Open)
}

func TestResultsOfAnEarlierStateDoNotCountInALaterOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		var old [30]breaker.Permit
		for i := range old {
			var err error
			if old[i], err = b.Allow(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		trip(t, b)
		untilDue(t, b)
		old[0].Done(nil)
		wantState(t, b, breaker.HalfOpen)
		call(t, b, nil)
		for i := range old[1:] {
			old[i+1].Done(errDown)
		}
		s := b.Snapshot()
		if s.State != breaker.Closed || breaker.Consecutive(b) != 0 || s.Window.Failures != 0 {
			t.Fatalf("%+v, want late failures kept out", s)
		}
		if s.Calls.Failures != 5+29 || s.Calls.Successes != 2 {
			t.Fatalf("%+v, want every call counted for life", s.Calls)
		}
	})
}

func TestOnlyTheFirstDoneCounts(t *testing.T) {
	b := newBreaker(t, breaker.Config{})
	permit, err := b.Allow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() { permit.Done(errDown) })
	}
	callers.Wait()
	if calls := b.Snapshot().Calls; calls.Failures != 1 {
		t.Fatalf("%+v, want one failure", calls)
	}
	(&breaker.Permit{}).Done(errDown)
}

func TestJitterSpreadsTheProbesOfFiftyInstances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var due []time.Duration
		for range 50 {
			b := newBreaker(t, breaker.Config{})
			trip(t, b)
			due = append(due, b.Snapshot().RetryAt.Sub(start))
		}
		slices.Sort(due)
		if due[0] < 3750*time.Millisecond || due[49] > 6250*time.Millisecond {
			t.Fatalf("due between %v and %v, want 5s ± 25%%", due[0], due[49])
		}
		if spread := due[49] - due[0]; spread < 1500*time.Millisecond {
			t.Fatalf("all due within %v", spread)
		}
		for i := range due[10:] {
			if due[i+10]-due[i] < 10*time.Millisecond {
				t.Fatalf("11 instances are due within %v", due[i+10]-due[i])
			}
		}
	})
}

func TestOpenTimeDoublesUpToTheLimitWithJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		trip(t, b)
		for _, base := range []time.Duration{5, 10, 20, 40, 80, 160, 240, 240, 240} {
			wait := time.Until(b.Snapshot().RetryAt)
			if base *= time.Second; wait < base*3/4 || wait > min(base*5/4, 5*time.Minute) {
				t.Fatalf("open for %v, want %v ± 25%%", wait, base)
			}
			untilDue(t, b)
			call(t, b, errDown)
		}
		last := time.Until(b.Snapshot().RetryAt)
		for range 3 {
			untilDue(t, b)
			call(t, b, nil)
			time.Sleep(last - time.Second)
			trip(t, b)
			if last = time.Until(b.Snapshot().RetryAt); last < 3*time.Minute {
				t.Fatalf("open for %v soon after a recovery, want 240s ± 25%% again", last)
			}
		}
		untilDue(t, b)
		call(t, b, nil)
		time.Sleep(last)
		trip(t, b)
		if wait := time.Until(b.Snapshot().RetryAt); wait > 6250*time.Millisecond {
			t.Fatalf("open for %v long after a recovery, want 5s again", wait)
		}
	})
}

// The window is the least time for which a back-off is remembered.
func TestShortOpenTimesAreRememberedForAWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{OpenTime: time.Second, Jitter: -1})
		reopen := func(after time.Duration) time.Duration {
			untilDue(t, b)
			call(t, b, nil)
			time.Sleep(after)
			trip(t, b)
			return time.Until(b.Snapshot().RetryAt)
		}
		trip(t, b)
		untilDue(t, b)
		call(t, b, errDown)
		if got := reopen(29 * time.Second); got != 2*time.Second {
			t.Errorf("open for %v 29s after a recovery, want 2s again", got)
		}
		if got := reopen(31 * time.Second); got != time.Second {
			t.Errorf("open for %v 31s after a recovery, want 1s", got)
		}
		b.Reset()
		trip(t, b)
		untilDue(t, b)
		call(t, b, errDown)
		b.Reset()
		trip(t, b)
		if got := time.Until(b.Snapshot().RetryAt); got != time.Second {
			t.Errorf("open for %v after Reset, want 1s", got)
		}
	})
}

func TestSlowSuccessesOpenTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{SlowCall: time.Second, Window: 10 * time.Minute})
		slow := func(context.Context) (int, error) { time.Sleep(time.Second); return 0, nil }
		for range 20 {
			wantState(t, b, breaker.Closed)
			if _, err := breaker.Do(t.Context(), b, slow); err != nil {
				t.Fatal(err)
			}
		}
		if s := b.Snapshot(); s.State != breaker.Open || s.Calls.Slow != 20 || s.Calls.Failures != 0 {
			t.Fatalf("%+v, want open by slowness alone", s)
		}
		untilDue(t, b)
		_, _ = breaker.Do(t.Context(), b, slow)
		wantState(t, b, breaker.Open) // A slow probe has failed.
	})
}

func TestUntimedCallIsNeverSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{SlowCall: time.Second})
		untimed := func() {
			stream, err := b.Allow(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			stream.Untimed()
			time.Sleep(2 * time.Second)
			stream.Done(nil)
		}
		untimed()
		trip(t, b)
		untilDue(t, b)
		untimed() // As the probe.
		wantState(t, b, breaker.Closed)
		if calls := b.Snapshot().Calls; calls.Slow != 0 {
			t.Fatalf("%+v, want none slow", calls)
		}
	})
}

// A success does not open the breaker, also as the call that reaches MinCalls.
func TestOnlySlowSuccessesOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{ConsecutiveFailures: -1})
		b.TripFor(time.Second)
		untilDue(t, b)
		stream, err := b.Allow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		stream.Confirm()
		for n := range 19 {
			if n%2 == 0 {
				call(t, b, errDown)
			} else {
				call(t, b, nil)
			}
		}
		stream.Done(nil)
		wantState(t, b, breaker.Closed)
		call(t, b, errDown)
		if s := b.Snapshot(); s.State != breaker.Open || !errors.Is(s.LastFailure, errDown) {
			t.Fatalf("%v, last failure %v", s.State, s.LastFailure)
		}
	})
}

// A rate is reached when exactly that share has failed.
func TestRatesAreReachedExactly(t *testing.T) {
	for failures := 1; failures <= 100; failures++ {
		b := newBreaker(t, breaker.Config{ConsecutiveFailures: -1, FailureRate: float64(failures) / 100, MinCalls: 100})
		for range 100 - failures {
			call(t, b, nil)
		}
		for range failures {
			wantState(t, b, breaker.Closed)
			call(t, b, errDown)
		}
		wantState(t, b, breaker.Open)
	}
}

func TestCanceledAndExpiredCallsAreNeutral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		for range 10 {
			ctx, cancel := context.WithCancelCause(t.Context())
			_, _ = breaker.Do(ctx, b, func(context.Context) (int, error) {
				cancel(errors.New("a sibling failed"))
				return 0, errDown // Not context.Canceled: only the context shows it.
			})
			late, stop := context.WithDeadline(t.Context(), time.Now())
			_, _ = breaker.Do(late, b, func(ctx context.Context) (int, error) { return 0, context.DeadlineExceeded })
			stop()
		}
		if s := b.Snapshot(); s.Calls != (breaker.Calls{Neutral: 20}) {
			t.Fatalf("%+v, want 20 neutral calls", s.Calls)
		}
		for range 5 { // A deadline that passes during the call is the dependency's doing.
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, _ = breaker.Do(ctx, b, func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() })
			cancel()
		}
		wantState(t, b, breaker.Open)
	})
}

func TestHalfOpenAllowsOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		trip(t, b)
		untilDue(t, b)
		probe, err := b.Allow(t.Context())
		if err != nil || !probe.Probe() {
			t.Fatalf("probe is rejected: %v", err)
		}
		for range 3 {
			if err := call(t, b, nil); !breaker.IsRejected(err) {
				t.Fatalf("a second call passes: %v", err)
			}
		}
		probe.Done(context.Canceled) // The slot is free again.
		wantState(t, b, breaker.HalfOpen)
		if err := call(t, b, nil); err != nil {
			t.Fatal(err)
		}
		wantState(t, b, breaker.Closed)
	})
}
