package checker_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
)

var errDown = errors.New(secret)

func push(t *testing.T, c *checker.Checker, o checker.Outcome) checker.Result {
	t.Helper()
	if err := c.Push("import", o); err != nil {
		t.Fatal(err)
	}
	return result(t, c, "import")
}

func TestPushedResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := start(t, checker.Config{Checks: []checker.Check{{Name: "import", TTL: time.Minute, FailureThreshold: 2}}})
		expect(t, result(t, c, "import"), checker.Unknown, checker.ReasonNotRunYet, "")
		r := push(t, c, checker.Outcome{
			Text: "1,200 rows", Duration: 3 * time.Second, Measurement: checker.Measurement{Value: 12, Unit: "s"},
			Values: []checker.Value{{Name: "rows", Number: 1200}, {Name: "lost", Number: 0, Unit: "rows"}},
		})
		expect(t, r, checker.Healthy, checker.ReasonOK, "12.0")
		if r.Message != "Dependency import at 12.0 s: 1,200 rows" || r.Duration != 3*time.Second {
			t.Errorf("message %q, duration %v", r.Message, r.Duration)
		}
		if want := []checker.Value{{"lost", 0, "rows"}, {"rows", 1200, "1"}}; !slices.Equal(r.Values, want) {
			t.Errorf("values %v, want %v", r.Values, want)
		}
		r = push(t, c, checker.Outcome{Err: checker.Degraded("two rows lost", errors.New(secret)), Text: "1,198 rows"})
		expect(t, r, checker.Warning, checker.ReasonDegraded, "degraded")
		if r.Message != "Dependency import is degraded: two rows lost" || len(r.Values) != 2 {
			t.Errorf("message %q, values %v", r.Message, r.Values)
		}
		expect(t, push(t, c, checker.Outcome{Err: errors.New(secret)}), checker.Warning, checker.ReasonError, "unavailable")
		expect(t, push(t, c, checker.Outcome{Err: errors.New(secret)}), checker.Critical, checker.ReasonError, "unavailable")
		expect(t, push(t, c, checker.Outcome{Measurement: checker.Measurement{Value: math.NaN()}}), checker.Critical, checker.ReasonError, "unavailable")
		r = push(t, c, checker.Outcome{})
		expect(t, r, checker.Healthy, checker.ReasonOK, "available")
		if !r.Expires.Equal(time.Now().Add(time.Minute)) {
			t.Errorf("expires at %v, want in a minute", r.Expires)
		}
		if _, err := c.Refresh(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute - 1)
		expect(t, result(t, c, "import"), checker.Healthy, checker.ReasonOK, "available")
		time.Sleep(2 * time.Nanosecond)
		expect(t, result(t, c, "import"), checker.Unknown, checker.ReasonStale, "available")
		expect(t, push(t, c, checker.Outcome{}), checker.Healthy, checker.ReasonOK, "available")
	})
}

// A limit makes 0 a measurement.
func TestPushedZeroIsJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := start(t, checker.Config{Checks: []checker.Check{{Name: "import", TTL: time.Minute, Critical: checker.Below(1)}}})
		expect(t, push(t, c, checker.Outcome{}), checker.Critical, checker.ReasonThreshold, "0.0")
		expect(t, push(t, c, checker.Outcome{Measurement: checker.Measurement{Value: 1}}), checker.Healthy, checker.ReasonOK, "1.0")
		expect(t, push(t, c, checker.Outcome{Err: errDown}), checker.Critical, checker.ReasonError, "unavailable")
	})
}

func TestPushWithoutRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := checker.New(checker.Config{Checks: []checker.Check{
			{Name: "import", TTL: time.Minute, Optional: true}, {Name: "database", Run: pass},
		}})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, push(t, c, checker.Outcome{}), checker.Healthy, checker.ReasonOK, "available")
		time.Sleep(time.Minute)
		synctest.Wait()
		expect(t, result(t, c, "import"), checker.Warning, checker.ReasonStale, "available")
		if err := c.Push("database", checker.Outcome{}); err == nil {
			t.Error("a check with runs takes a pushed result")
		}
		if err := c.Push("nothing", checker.Outcome{}); err == nil {
			t.Error("an unknown check takes a pushed result")
		}
	})
}

// Checks that are run and pushed ones share the scheduler: a pushed one is never run, nor in the way of others.
func TestPushedBesideRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		c, _ := start(t, checker.Config{Checks: []checker.Check{
			{Name: "import", TTL: time.Hour},
			{Name: "database", Jitter: -1, Run: func(context.Context) error { runs.Add(1); return nil }},
		}})
		expect(t, push(t, c, checker.Outcome{}), checker.Healthy, checker.ReasonOK, "available")
		time.Sleep(5*time.Minute + time.Second)
		if n := runs.Load(); n != 11 {
			t.Errorf("database ran %d times, want 11", n)
		}
		if err := c.Replace(checker.Check{Name: "import", TTL: 2 * time.Hour}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(90 * time.Minute)
		expect(t, result(t, c, "import"), checker.Healthy, checker.ReasonOK, "available")
		time.Sleep(time.Hour)
		expect(t, result(t, c, "import"), checker.Unknown, checker.ReasonStale, "available")
	})
}

func TestBool(t *testing.T) {
	for name, test := range map[string]struct {
		run  func(context.Context) error
		want bool
	}{
		"true":         {checker.Bool(func() bool { return true }), true},
		"false":        {checker.Bool(func() bool { return false }), false},
		"with context": {checker.Bool(func(ctx context.Context) bool { return ctx != nil }), true},
	} {
		if err := test.run(t.Context()); (err == nil) != test.want {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
