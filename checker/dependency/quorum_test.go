package dependency_test

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
	"github.com/vitals-go/vitals/checker/dependency"
)

var errDown = errors.New("down")

func passes(context.Context) error { return nil }
func fails(context.Context) error  { return errDown }
func hangs(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func member(name string, run func(context.Context) error) dependency.Member {
	return dependency.Member{Name: name, Run: run}
}

func TestQuorumResults(t *testing.T) {
	up, down, slow := member("up", passes), member("down", fails), member("slow", hangs)
	up2, down2 := member("up2", passes), member("down2", fails)
	for _, test := range []struct {
		name    string
		run     func(context.Context) error
		passes  bool
		within  time.Duration
		timeout bool
	}{
		{"all of two", must(dependency.All(up, up2)), true, 0, false},
		{"all but one", must(dependency.All(up, down)), false, 0, false},
		{"all, one hangs", must(dependency.All(up, slow)), false, 5 * time.Second, true},
		{"all, one hangs, one is down", must(dependency.All(slow, down)), false, time.Second, false},
		{"any of one", must(dependency.Any(up)), true, 0, false},
		{"any, others hang", must(dependency.Any(slow, down, up)), true, 0, false},
		{"any of none", must(dependency.Any(down, down2)), false, 0, false},
		{"two of three", must(dependency.Quorum(2, up, down, up2)), true, 0, false},
		{"two of three, one hangs", must(dependency.Quorum(2, up, slow, up2)), true, 0, false},
		{"two of three, two are down", must(dependency.Quorum(2, up, down, down2)), false, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				begin := time.Now()
				err := test.run(ctx)
				if (err == nil) != test.passes {
					t.Errorf("got %v, want success %v", err, test.passes)
				}
				if took := time.Since(begin); took > test.within {
					t.Errorf("took %v, want at most %v", took, test.within)
				}
				if got := errors.Is(err, context.DeadlineExceeded); got != test.timeout {
					t.Errorf("%v is a timeout: %v, want %v", err, got, test.timeout)
				}
			})
		})
	}
}

func TestQuorumOfDegradedMembersIsDegraded(t *testing.T) {
	old := member("old", func(context.Context) error { return checker.Degraded("the index is old", errDown) })
	up, down := member("up", passes), member("down", fails)
	for name, test := range map[string]struct {
		run  func(context.Context) error
		want checker.Reason
	}{
		"all":              {must(dependency.All(old, member("old2", old.Run))), checker.ReasonDegraded},
		"any":              {must(dependency.Any(old, down)), checker.ReasonDegraded},
		"beside a failure": {must(dependency.All(old, down)), checker.ReasonError},
		"up":               {must(dependency.All(up)), checker.ReasonOK},
	} {
		synctest.Test(t, func(t *testing.T) {
			if got := checker.ReasonFor(t.Context(), test.run(t.Context())); got != test.want {
				t.Errorf("%s: got %v, want %v", name, got, test.want)
			}
		})
	}
}

func TestQuorumErrorNamesFailedMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := func(context.Context) error { time.Sleep(100 * time.Millisecond); return errDown }
		run := must(dependency.Quorum(2,
			member("a", fails), member("b", late), member("c", passes), member("d", func(context.Context) error { panic("boom") }),
			member("e", func(context.Context) error { runtime.Goexit(); return nil }),
		))
		err := run(t.Context())
		wantError(t, err, "2 of 5 must pass, 1 did", "a: down", "b: down", "d: panicked: boom", "e: ended its goroutine")
		if strings.Contains(err.Error(), "c:") || !errors.Is(err, errDown) {
			t.Errorf("got %v, want the failed only, and their causes", err)
		}
	})
}

func TestMemberIgnoringItsContextRunsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var started atomic.Int32
		release := make(chan struct{})
		run := must(dependency.All(member("deaf", func(context.Context) error {
			started.Add(1)
			<-release
			return nil
		})))
		for n := range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			wantError(t, run(ctx), "deaf:")
			cancel()
			synctest.Wait()
			if got := started.Load(); got != 1 {
				t.Fatalf("round %d: %d runs at a time", n, got)
			}
		}
		close(release)
		synctest.Wait()
		wantError(t, run(t.Context()))
	})
}

func TestNextRunWaitsForCancelledMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slowly := func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(10 * time.Millisecond) // cleans up
			return ctx.Err()
		}
		var second atomic.Bool
		turns := func(ctx context.Context) error {
			if second.Load() {
				return nil
			}
			return slowly(ctx)
		}
		run := must(dependency.Any(member("quick", func(context.Context) error {
			if second.Load() {
				return errDown
			}
			return nil
		}), member("turns", turns)))
		wantError(t, run(t.Context()))
		second.Store(true)
		wantError(t, run(t.Context()))
	})
}

func TestQuorumReportsAllMistakes(t *testing.T) {
	_, err := dependency.Quorum(4, member("a", passes), member("a", nil), member("", passes))
	wantError(t, err, "quorum of 4", `"a" has no Run`, `"a" is listed twice`, "member 2 has no Name")
	_, err = dependency.All()
	wantError(t, err, "at least one member")
	_, err = dependency.Any()
	wantError(t, err, "at least one member")
}
