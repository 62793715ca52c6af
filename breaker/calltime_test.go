package breaker_test

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/breaker"
)

// hang waits until ctx ends.
func hang(ctx context.Context) (int, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

func giving(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func canceledAfter(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	timer := time.AfterFunc(d, cancel)
	t.Cleanup(func() { timer.Stop(); cancel() })
	return ctx
}

func TestDeadlinesOfImpatientCallersDoNotOpen(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg  breaker.Config
		give time.Duration
		open bool
	}{
		"20 ms":                          {breaker.Config{}, 20 * time.Millisecond, false},
		"just too little":                {breaker.Config{}, 100*time.Millisecond - 1, false},
		"just enough":                    {breaker.Config{}, 100 * time.Millisecond, true},
		"a chosen time":                  {breaker.Config{MinDeadline: 10 * time.Millisecond}, 20 * time.Millisecond, true},
		"no least time":                  {breaker.Config{MinDeadline: -1}, time.Millisecond, true},
		"the greatest time is less":      {breaker.Config{MaxCallTime: 50 * time.Millisecond}, 75 * time.Millisecond, true},
		"the same, and the caller's too": {breaker.Config{MaxCallTime: 50 * time.Millisecond}, 25 * time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBreaker(t, tt.cfg)
				for range 5 {
					_, _ = breaker.Do(giving(t, tt.give), b, hang)
				}
				want := map[bool]breaker.State{false: breaker.Closed, true: breaker.Open}[tt.open]
				wantState(t, b, want)
				if calls := b.Snapshot().Calls; (calls.Neutral == 5) == tt.open {
					t.Errorf("%+v", calls)
				}
			})
		})
	}
}

// The error of a deadline has many forms, and it may arrive before the caller's clock is there.
func TestDeadlineErrorsOfImpatientCallers(t *testing.T) {
	for name, tt := range map[string]struct {
		err     error
		neutral bool
	}{
		"context":           {context.DeadlineExceeded, true},
		"gRPC":              {status.Error(codes.DeadlineExceeded, "late"), true},
		"network":           {&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, true},
		"refused":           {errors.New("connection refused"), false},
		"gRPC, unavailable": {status.Error(codes.Unavailable, "down"), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBreaker(t, breaker.Config{})
				permit, err := b.Allow(giving(t, 20*time.Millisecond))
				if err != nil {
					t.Fatal(err)
				}
				permit.Record(breaker.Failure, tt.err)
				if calls := b.Snapshot().Calls; (calls.Neutral == 1) != tt.neutral || calls.Neutral+calls.Failures != 1 {
					t.Errorf("%+v", calls)
				}
			})
		})
	}
}

func TestCallsThatAreGivenUpLateOpen(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg   breaker.Config
		after time.Duration
		open  bool
	}{
		"at once":       {breaker.Config{}, 0, false},
		"soon":          {breaker.Config{}, 5*time.Second - 1, false},
		"late":          {breaker.Config{}, 5 * time.Second, true},
		"very late":     {breaker.Config{}, 10 * time.Second, true},
		"a chosen time": {breaker.Config{MaxCallTime: time.Second}, time.Second, true},
		"a longer time": {breaker.Config{MaxCallTime: time.Minute}, 10 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBreaker(t, tt.cfg)
				for range 5 {
					_, _ = breaker.Do(canceledAfter(t, tt.after), b, hang)
				}
				wantState(t, b, map[bool]breaker.State{false: breaker.Closed, true: breaker.Open}[tt.open])
			})
		})
	}
}

func TestHundredCallersThatCancelOpenAHangingDependency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		for range 100 {
			go func() { _, _ = breaker.Do(canceledAfter(t, 10*time.Second), b, hang) }()
		}
		time.Sleep(11 * time.Second)
		synctest.Wait()
		wantState(t, b, breaker.Open)
	})
}

func TestLongSuccessesAndStreamsDoNotHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		for range 5 {
			_, _ = breaker.Do(canceledAfter(t, time.Hour), b, func(context.Context) (int, error) {
				time.Sleep(time.Minute)
				return 0, nil
			})
			permit, err := b.Allow(canceledAfter(t, time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			permit.Untimed()
			time.Sleep(time.Minute)
			synctest.Wait()
			permit.Done(context.Canceled)
		}
		if calls := b.Snapshot().Calls; calls.Successes != 5 || calls.Neutral != 5 {
			t.Errorf("%+v", calls)
		}
	})
}

// The timeout of a check is chosen for its dependency.
func TestShortTimeoutsOfChecksCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		check := b.Check(func(ctx context.Context) error { _, err := hang(ctx); return err })
		for range 5 {
			_ = check(giving(t, 20*time.Millisecond))
		}
		wantState(t, b, breaker.Open)
	})
}

func TestImpatientProbeIsFollowedByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		trip(t, b)
		untilDue(t, b)
		_, _ = breaker.Do(giving(t, 20*time.Millisecond), b, hang)
		wantState(t, b, breaker.HalfOpen)
		call(t, b, nil)
		wantState(t, b, breaker.Closed)
	})
}

func TestSuccessThreshold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{SuccessThreshold: 3})
		trip(t, b)
		untilDue(t, b)
		call(t, b, nil)
		call(t, b, nil)
		wantState(t, b, breaker.HalfOpen)
		call(t, b, errDown)
		wantState(t, b, breaker.Open)
		untilDue(t, b)
		call(t, b, nil)
		permit, err := b.Allow(t.Context())
		if err != nil {
			t.Fatal("a second probe is rejected:", err)
		}
		if _, err := b.Allow(t.Context()); err == nil {
			t.Fatal("two probes at once")
		}
		permit.Record(breaker.Neutral, nil)
		call(t, b, nil)
		b.Observe(nil)
		wantState(t, b, breaker.HalfOpen)
		call(t, b, nil)
		wantState(t, b, breaker.Closed)
	})
}

// A stream that is confirmed is one success.
func TestSuccessThresholdCountsConfirmedProbesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{SuccessThreshold: 2})
		trip(t, b)
		untilDue(t, b)
		first, err := b.Allow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		first.Confirm()
		first.Confirm()
		first.Done(nil)
		wantState(t, b, breaker.HalfOpen)
		call(t, b, nil)
		wantState(t, b, breaker.Closed)
	})
}
