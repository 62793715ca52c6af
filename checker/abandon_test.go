package checker_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
)

func TestAbandonedRunCountsTimeoutsAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var runs atomic.Int64
		c, _ := start(t, checker.Config{MaxConcurrent: 1, Checks: []checker.Check{
			{Name: "stuck", Jitter: -1, Run: func(context.Context) error {
				if runs.Add(1) == 1 {
					<-release
					return errors.New("too late to matter")
				}
				return nil
			}},
			{Name: "other", Run: pass, InitialDelay: time.Second},
		}})
		time.Sleep(5*time.Second + 10*time.Millisecond)
		r := result(t, c, "stuck")
		expect(t, r, checker.Warning, checker.ReasonTimeout, "timeout")
		if r.Runs.Abandoned != 1 || !errors.Is(r.Err, context.DeadlineExceeded) {
			t.Errorf("abandoned %d, err %v", r.Runs.Abandoned, r.Err)
		}
		// Its place is free.
		expect(t, result(t, c, "other"), checker.Healthy, checker.ReasonOK, "available")
		time.Sleep(5 * time.Second)
		expect(t, result(t, c, "stuck"), checker.Warning, checker.ReasonTimeout, "timeout")
		time.Sleep(5 * time.Second)
		expect(t, result(t, c, "stuck"), checker.Critical, checker.ReasonTimeout, "timeout")
		time.Sleep(time.Hour)
		r = result(t, c, "stuck")
		expect(t, r, checker.Critical, checker.ReasonTimeout, "timeout")
		if runs.Load() != 1 || r.Runs.Abandoned != 1 {
			t.Fatalf("%d runs, %d abandoned, want 1 and 1", runs.Load(), r.Runs.Abandoned)
		}
		close(release)
		expect(t, result(t, c, "stuck"), checker.Critical, checker.ReasonTimeout, "timeout")
		time.Sleep(5 * time.Second)
		expect(t, result(t, c, "stuck"), checker.Healthy, checker.ReasonOK, "available")
	})
}

func TestTimeoutOfRunThatHeedsItsContextIsNotAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := start(t, checker.Config{Checks: []checker.Check{{Name: "slow", Run: obedient}}})
		time.Sleep(16 * time.Second)
		r := result(t, c, "slow")
		expect(t, r, checker.Critical, checker.ReasonTimeout, "timeout")
		if r.Runs.Abandoned != 0 || r.Failures != 3 {
			t.Errorf("abandoned %d, failures %d", r.Runs.Abandoned, r.Failures)
		}
	})
}

// TestStuckChecksLeakAtMostOneGoroutineEach gives an hour to checks that do everything wrong.
func TestStuckChecksLeakAtMostOneGoroutineEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var inFlight [5]atomic.Int64
		villain := func(i int, f func() error) func(context.Context) error {
			return func(context.Context) error {
				if n := inFlight[i].Add(1); n > 1 {
					t.Errorf("villain %d has %d runs in flight", i, n)
				}
				defer inFlight[i].Add(-1)
				return f()
			}
		}
		c, stop := start(t, checker.Config{MaxConcurrent: 2, Checks: []checker.Check{
			{Name: "never returns", Run: villain(0, func() error { <-release; return nil })},
			{Name: "panics", Run: villain(1, func() error { panic("at the disco") })},
			{Name: "typed nil", Run: villain(2, func() error { return (*nilable)(nil) })},
			{Name: "sleeps an hour", Run: villain(3, func() error { time.Sleep(time.Hour); return nil })},
			{Name: "exits", Run: villain(4, func() error { runtime.Goexit(); return nil })},
			{Name: "decent", Run: pass},
		}})
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		for name, want := range map[string]checker.Reason{
			"never returns": checker.ReasonTimeout, "panics": checker.ReasonPanic, "typed nil": checker.ReasonError,
			"sleeps an hour": checker.ReasonTimeout, "exits": checker.ReasonPanic,
		} {
			if r := result(t, c, name); r.Status != checker.Critical || r.Reason != want {
				t.Errorf("%s: %v, %v", name, r.Status, r.Reason)
			}
		}
		expect(t, result(t, c, "decent"), checker.Healthy, checker.ReasonOK, "available")
		began := time.Now()
		stop()
		if took := time.Since(began); took > time.Second {
			t.Errorf("Run took %v to end", took)
		}
		if n := inFlight[0].Load(); n != 1 {
			t.Errorf("%d runs left of the one that never returns, want 1", n)
		}
		if n := inFlight[3].Load(); n > 1 {
			t.Errorf("%d runs left of the one that sleeps", n)
		}
		if n := strings.Count(stacks(), "(*Checker).perform"); n > 2 {
			t.Errorf("%d runs are left, want at most 2", n)
		}
		close(release)
		time.Sleep(time.Hour) // the sleeper wakes
	})
}

func stacks() string {
	text := make([]byte, 1<<20)
	return string(text[:runtime.Stack(text, true)])
}

func TestRunEndsPromptlyAndCanBeRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		c, err := checker.New(checker.Config{Checks: []checker.Check{
			{Name: "obedient", Run: obedient},
			{Name: "stuck", Run: func(context.Context) error { <-release; return nil }},
			{Name: "good", Run: pass, Timeout: time.Second, Interval: time.Second},
		}})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
			began := time.Now()
			if err := c.Run(ctx); err != nil {
				t.Fatal(err)
			}
			cancel()
			if took := time.Since(began); took > 1600*time.Millisecond {
				t.Errorf("Run took %v to end", took)
			}
			// Ending is no evidence against a check.
			expect(t, result(t, c, "obedient"), checker.Unknown, checker.ReasonNotRunYet, "")
			expect(t, result(t, c, "stuck"), checker.Unknown, checker.ReasonNotRunYet, "")
			expect(t, result(t, c, "good"), checker.Healthy, checker.ReasonOK, "available")
		}
	})
}

// A check that waits for a free run when Run ends has not run, and must do so in the next Run.
func TestRunTakesUpChecksThatWereQueuedAtItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := checker.New(checker.Config{MaxConcurrent: 1, Checks: []checker.Check{
			{Name: "first", Run: func(ctx context.Context) error { <-ctx.Done(); return nil }},
			{Name: "second", Run: pass},
		}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // shorter than the timeout of the first check
		defer cancel()
		if err := c.Run(ctx); err != nil {
			t.Fatal(err)
		}
		expect(t, result(t, c, "second"), checker.Unknown, checker.ReasonNotRunYet, "")
		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := c.Run(ctx); err != nil {
			t.Fatal(err)
		}
		expect(t, result(t, c, "second"), checker.Healthy, checker.ReasonOK, "available")
	})
}

func TestSecondRunIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := start(t, checker.Config{})
		synctest.Wait()
		if err := c.Run(t.Context()); err == nil {
			t.Fatal("a second Run began")
		}
	})
}

func TestResultsExpireBetweenTwoRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan error, 1)
		c, err := checker.New(checker.Config{Checks: []checker.Check{
			{Name: "db", Run: func(context.Context) error { return <-answer }},
		}})
		if err != nil {
			t.Fatal(err)
		}
		for _, between := range []time.Duration{time.Minute, time.Hour} {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- c.Run(ctx) }()
			switch synctest.Wait(); between {
			case time.Minute:
				expect(t, result(t, c, "db"), checker.Unknown, checker.ReasonNotRunYet, "")
			case time.Hour:
				expect(t, result(t, c, "db"), checker.Unknown, checker.ReasonStale, "available")
			}
			answer <- nil
			expect(t, result(t, c, "db"), checker.Healthy, checker.ReasonOK, "available")
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			time.Sleep(time.Hour)
		}
	})
}

// lockedError is an error whose Error method blocks until it is released, and counts its calls.
type lockedError struct {
	released <-chan struct{}
	calls    *atomic.Int64
}

func (e lockedError) Error() string {
	e.calls.Add(1)
	<-e.released
	return "refused"
}

func TestErrorThatBlocksIsATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		released, calls := make(chan struct{}), new(atomic.Int64)
		c, _ := start(t, checker.Config{MaxConcurrent: 1, Checks: []checker.Check{
			{Name: "db", Jitter: -1, Run: func(context.Context) error { return lockedError{released, calls} }},
			{Name: "other", Run: pass, InitialDelay: time.Second},
		}})
		time.Sleep(time.Minute)
		r := result(t, c, "db")
		expect(t, r, checker.Critical, checker.ReasonTimeout, "timeout")
		if calls.Load() != 1 || r.Runs.Abandoned != 1 {
			t.Errorf("%d calls of Error, %d abandoned runs", calls.Load(), r.Runs.Abandoned)
		}
		expect(t, result(t, c, "other"), checker.Healthy, checker.ReasonOK, "available")
		close(released)
		time.Sleep(time.Minute)
		expect(t, result(t, c, "db"), checker.Critical, checker.ReasonError, "unavailable")
	})
}

func TestErrorIsCalledOncePerRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		released, calls := make(chan struct{}), new(atomic.Int64)
		close(released)
		cause := lockedError{released, calls}
		c, stop := start(t, checker.Config{Checks: []checker.Check{{
			Name: "db", Interval: time.Hour, FailingInterval: time.Hour, Run: func(context.Context) error { return cause },
		}}})
		synctest.Wait()
		err := result(t, c, "db").Err
		for range 10 {
			if err.Error() != "refused" || !errors.Is(err, cause) {
				t.Fatalf("the result has %v", err)
			}
		}
		stop()
		if n := calls.Load(); n != 1 {
			t.Errorf("Error was called %d times", n)
		}
	})
}
