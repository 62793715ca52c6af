package checker_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
)

func TestIntervalIsFromStartToStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var starts atomic.Int64
		_, stop := start(t, checker.Config{Checks: []checker.Check{{
			Name: "slow", Jitter: -1, Interval: 10 * time.Second,
			Run: func(context.Context) error {
				starts.Add(1)
				time.Sleep(4 * time.Second)
				return nil
			},
		}}})
		time.Sleep(100*time.Second - 1)
		stop()
		if n := starts.Load(); n != 10 {
			t.Fatalf("%d runs in 100 s, want 10", n)
		}
	})
}

func TestAWeekOfRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failing atomic.Bool
		c, _ := start(t, checker.Config{Checks: []checker.Check{{Name: "db", Run: func(context.Context) error {
			if failing.Load() {
				return errors.New("down")
			}
			return nil
		}}}})
		time.Sleep(7 * 24 * time.Hour)
		const healthy = 7 * 24 * 3600 / 30
		if n := result(t, c, "db").Runs.ByStatus(checker.Healthy); n < healthy*98/100 || n > healthy*102/100 {
			t.Errorf("%d runs in a week, want about %d", n, healthy)
		}
		failing.Store(true)
		time.Sleep(33 * time.Second)
		before := result(t, c, "db").Runs.ByStatus(checker.Critical)
		time.Sleep(time.Hour)
		const failed = 3600 / 5
		if n := result(t, c, "db").Runs.ByStatus(checker.Critical) - before; n < failed*98/100 || n > failed*102/100 {
			t.Errorf("%d runs in an hour of failing, want about %d", n, failed)
		}
	})
}

func TestJitterSpreadsReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const replicas = 20
		var last [replicas]atomic.Int64
		for i := range last {
			start(t, checker.Config{Checks: []checker.Check{{Name: "database", Run: func(context.Context) error {
				last[i].Store(time.Now().UnixNano())
				return nil
			}}}})
		}
		time.Sleep(10 * time.Minute)
		moments := map[int64]bool{}
		for i := range last {
			moments[last[i].Load()] = true
		}
		if len(moments) < replicas/2 {
			t.Fatalf("%d replicas ran at %d moments only", replicas, len(moments))
		}
	})
}

// TestChecksOfOneProcessShareWakeUps starts checks at different times. Each keeps to its interval and its jitter, and
// after some rounds they run together.
func TestChecksOfOneProcessShareWakeUps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 10
		var runs [n][]time.Time // each is appended by the runs of one check, one after the other
		checks := make([]checker.Check, n)
		for i := range checks {
			checks[i] = checker.Check{Name: fmt.Sprint(i), InitialDelay: time.Duration(i) * 3 * time.Second, Run: func(context.Context) error {
				runs[i] = append(runs[i], time.Now())
				return nil
			}}
		}
		_, stop := start(t, checker.Config{Checks: checks, MaxConcurrent: n})
		time.Sleep(time.Hour)
		stop()
		moments := map[time.Time]bool{}
		for i := range runs {
			for j, at := range runs[i][1:] {
				if d := at.Sub(runs[i][j]); d < 27*time.Second || d > 33*time.Second {
					t.Fatalf("check %d ran again after %v, want 30s ± 10 %%", i, d)
				}
			}
			if count := len(runs[i]); count < 110 || count > 130 {
				t.Errorf("check %d ran %d times in an hour, want about 120", i, count)
			}
			for _, at := range runs[i] {
				if time.Since(at) < 10*time.Minute {
					moments[at] = true
				}
			}
		}
		if len(moments) > 23 { // rounds of ten minutes
			t.Errorf("%d checks ran at %d moments in ten minutes, want one moment a round", n, len(moments))
		}
	})
}

func TestInitialDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := start(t, checker.Config{Checks: []checker.Check{{Name: "db", Run: pass, InitialDelay: time.Minute}}})
		time.Sleep(time.Minute - 1)
		expect(t, result(t, c, "db"), checker.Unknown, checker.ReasonNotRunYet, "")
		time.Sleep(time.Nanosecond)
		expect(t, result(t, c, "db"), checker.Healthy, checker.ReasonOK, "available")
	})
}

func TestRetriesStayWithinTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var healing, hopeless atomic.Int64
		c, _ := start(t, checker.Config{Checks: []checker.Check{
			{Name: "healing", Retries: 2, Run: func(context.Context) error {
				if healing.Add(1) < 3 {
					return errors.New("not yet")
				}
				return nil
			}},
			{Name: "hopeless", Retries: 1000, FailingInterval: 30 * time.Second, Run: func(context.Context) error {
				hopeless.Add(1)
				return errors.New("never")
			}},
			{Name: "open", Retries: 3, FailingInterval: 30 * time.Second, Run: func(context.Context) error {
				return circuit{open: true}
			}},
		}})
		time.Sleep(5 * time.Second)
		expect(t, result(t, c, "healing"), checker.Healthy, checker.ReasonOK, "available")
		expect(t, result(t, c, "hopeless"), checker.Critical, checker.ReasonError, "unavailable")
		if r := result(t, c, "hopeless"); r.Runs.ByStatus(checker.Critical) != 1 || r.Duration > 5*time.Second {
			t.Errorf("hopeless: %d results, %v", r.Runs.ByStatus(checker.Critical), r.Duration)
		}
		if n := hopeless.Load(); n < 3 || n > 20 {
			t.Errorf("hopeless was tried %d times", n)
		}
		if r := result(t, c, "open"); r.Duration != 0 {
			t.Errorf("an open circuit was retried for %v", r.Duration)
		}
	})
}

func TestParallelIsABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		checks := make([]checker.Check, 20)
		for i := range checks {
			checks[i] = checker.Check{Name: fmt.Sprint(i), Run: func(context.Context) error {
				n := now.Add(1)
				defer now.Add(-1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				time.Sleep(time.Second)
				return nil
			}}
		}
		c, _ := start(t, checker.Config{Checks: checks, MaxConcurrent: 4})
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if most.Load() != 4 {
			t.Errorf("%d at once, want 4", most.Load())
		}
		for _, r := range c.Snapshot().Results {
			expect(t, *r, checker.Healthy, checker.ReasonOK, "available")
		}
	})
}

func TestSlowCheckDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := start(t, checker.Config{Checks: []checker.Check{
			{Name: "slow", Run: obedient},
			{Name: "quick", Run: pass, Interval: time.Second, Jitter: -1},
		}, MaxConcurrent: 2})
		expect(t, result(t, c, "quick"), checker.Healthy, checker.ReasonOK, "available")
		time.Sleep(4 * time.Second)
		if n := result(t, c, "quick").Runs.ByStatus(checker.Healthy); n != 5 {
			t.Errorf("quick ran %d times in 4 s beside a slow one, want 5", n)
		}
	})
}

// With 3 × interval + timeout alone, results of the least durations would expire while their check waits for a CPU.
func TestResultsAreValidForASecondWhateverTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := start(t, checker.Config{Checks: []checker.Check{{
			Name: "a", Run: pass, Interval: time.Millisecond, Timeout: time.Millisecond,
		}}})
		if r := result(t, c, "a"); r.Expires.Sub(r.At) != time.Second {
			t.Errorf("valid for %v, want a second", r.Expires.Sub(r.At))
		}
	})
}

func TestResultsExpireWithoutARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stuck atomic.Bool
		c, _ := start(t, checker.Config{MaxConcurrent: 1, Checks: []checker.Check{
			{Name: "victim", Run: pass, Interval: time.Second, Timeout: time.Second, Jitter: -1},
			{Name: "hog", InitialDelay: 500 * time.Millisecond, Timeout: time.Hour, Run: func(ctx context.Context) error {
				stuck.Store(true)
				return obedient(ctx)
			}},
		}})
		r := result(t, c, "victim")
		if want := r.At.Add(4 * time.Second); !r.Expires.Equal(want) {
			t.Fatalf("expires %v, want %v", r.Expires, want)
		}
		time.Sleep(4*time.Second - 1)
		expect(t, result(t, c, "victim"), checker.Healthy, checker.ReasonOK, "available")
		time.Sleep(time.Nanosecond)
		r = result(t, c, "victim")
		expect(t, r, checker.Unknown, checker.ReasonStale, "available")
		if r.Failures != 1 || !r.Since.Equal(time.Now()) || r.Since.Equal(r.At) {
			t.Errorf("failures %d, since %v, at %v", r.Failures, r.Since, r.At)
		}
		if !stuck.Load() {
			t.Fatal("the hog never ran")
		}
		time.Sleep(time.Hour)
		expect(t, result(t, c, "victim"), checker.Healthy, checker.ReasonOK, "available")
	})
}

func TestLongFailingIntervalExtendsExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := start(t, checker.Config{Checks: []checker.Check{{
			Name: "db", Interval: time.Second, FailingInterval: time.Minute,
			Run: func(context.Context) error { return errors.New("down") },
		}}})
		for range 100 {
			time.Sleep(3 * time.Second)
			expect(t, result(t, c, "db"), checker.Critical, checker.ReasonError, "unavailable")
		}
	})
}

func TestChangedFitsASelect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := start(t, checker.Config{Checks: []checker.Check{{Name: "db", Run: pass, InitialDelay: time.Minute}}})
		changed := c.Changed()
		e := c.Snapshot()
		if e.Results[0].Status != checker.Unknown {
			t.Fatal("too early")
		}
		began := time.Now()
		<-changed
		if took := time.Since(began); took != time.Minute {
			t.Errorf("told after %v, want 1m", took)
		}
		expect(t, result(t, c, "db"), checker.Healthy, checker.ReasonOK, "available")
	})
}
