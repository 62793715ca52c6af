package checker_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// start runs a Checker inside a bubble until the test or the returned function ends it.
func start(t *testing.T, cfg checker.Config) (*checker.Checker, func()) {
	t.Helper()
	c, err := checker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	stop := func() {
		cancel()
		running.Wait()
	}
	t.Cleanup(stop)
	return c, stop
}

// result returns what c knows about the check called name, once everything has completed.
func result(t *testing.T, c *checker.Checker, name string) checker.Result {
	t.Helper()
	synctest.Wait()
	r, ok := c.Snapshot().Lookup(name)
	if !ok {
		t.Fatalf("no result for %q", name)
	}
	return *r
}

func expect(t *testing.T, r checker.Result, status checker.Status, reason checker.Reason, value string) {
	t.Helper()
	if r.Status != status || r.Reason != reason || r.Value != value {
		t.Fatalf("%s: got %v, %v, %q, want %v, %v, %q", r.Name, r.Status, r.Reason, r.Value, status, reason, value)
	}
}

func pass(context.Context) error { return nil }

// obedient heeds its context and nothing else.
func obedient(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

type circuit struct{ open bool }

func (circuit) Error() string       { return "rejected" }
func (c circuit) CircuitOpen() bool { return c.open }

type nilable struct{ text string }

func (n *nilable) Error() string { return n.text } // panics for nil

type trap struct{}

func (trap) Error() string { return "trap" }
func (trap) Unwrap() error { panic("trap") }

const secret = "postgres://user:hunter2@db"

func TestOutcomesOfARun(t *testing.T) {
	fail := errors.New(secret)
	tests := []struct {
		name    string
		check   checker.Check
		status  checker.Status
		reason  checker.Reason
		value   string
		message string
	}{
		{"nil", checker.Check{Run: pass}, checker.Healthy, checker.ReasonOK, "available", "Dependency db is available"},
		{
			"error",
			checker.Check{Run: func(context.Context) error { return fail }},
			checker.Critical, checker.ReasonError, "unavailable", "Dependency db is unavailable",
		},
		{
			"optional error",
			checker.Check{Run: func(context.Context) error { return fail }, Optional: true},
			checker.Warning, checker.ReasonError, "unavailable", "Dependency db is unavailable",
		},
		{"timeout", checker.Check{Run: obedient}, checker.Warning, checker.ReasonTimeout, "timeout", "Dependency db check timed out"},
		{
			"own words at the deadline", checker.Check{Run: func(ctx context.Context) error {
				<-ctx.Done()
				return fail
			}}, checker.Warning, checker.ReasonTimeout, "timeout", "Dependency db check timed out",
		},
		{
			"a client's own deadline is an error", checker.Check{Run: func(context.Context) error {
				return context.DeadlineExceeded
			}}, checker.Critical, checker.ReasonError, "unavailable", "Dependency db is unavailable",
		},
		{
			"success at the last moment", checker.Check{Run: func(context.Context) error {
				time.Sleep(5 * time.Second)
				return nil
			}}, checker.Warning, checker.ReasonDegraded, "degraded", "Dependency db is degraded: it took 5s of its timeout of 5s",
		},
		{
			"slow success",
			checker.Check{Run: func(context.Context) error {
				time.Sleep(4 * time.Second)
				return nil
			}},
			checker.Warning, checker.ReasonDegraded, "degraded", "Dependency db is degraded: it took 4s of its timeout of 5s",
		},
		{
			"success in time",
			checker.Check{Run: func(context.Context) error {
				time.Sleep(4*time.Second - 1)
				return nil
			}},
			checker.Healthy, checker.ReasonOK, "available", "Dependency db is available",
		},
		{
			"slow success of a share",
			checker.Check{Run: func(context.Context) error {
				time.Sleep(time.Second)
				return nil
			}, SlowShare: 0.1, Optional: true},
			checker.Warning, checker.ReasonDegraded, "degraded", "Dependency db is degraded: it took 1s of its timeout of 5s",
		},
		{
			"slow success, not judged",
			checker.Check{Run: func(context.Context) error {
				time.Sleep(5 * time.Second)
				return nil
			}, SlowShare: -1},
			checker.Healthy, checker.ReasonOK, "available", "Dependency db is available",
		},
		{
			"slow number",
			checker.Check{Measure: func(context.Context) (checker.Measurement, error) {
				time.Sleep(4 * time.Second)
				return checker.Measurement{Value: 7}, nil
			}},
			checker.Warning, checker.ReasonDegraded, "7.0", "Dependency db at 7.0: it took 4s of its timeout of 5s",
		},
		{
			"slow and degraded",
			checker.Check{Run: func(context.Context) error {
				time.Sleep(4 * time.Second)
				return checker.Degraded("the index is old", nil)
			}},
			checker.Warning, checker.ReasonDegraded, "degraded", "Dependency db is degraded: the index is old",
		},
		{
			"panic",
			checker.Check{Run: func(context.Context) error { panic(secret) }},
			checker.Critical, checker.ReasonPanic, "error", "Dependency db check panicked",
		},
		{
			"panic with nil",
			checker.Check{Run: func(context.Context) error { panic(nil) }},
			checker.Critical, checker.ReasonPanic, "error", "Dependency db check panicked",
		},
		{
			"Goexit", checker.Check{Run: func(context.Context) error {
				runtime.Goexit()
				return nil
			}}, checker.Critical, checker.ReasonPanic, "error", "Dependency db check panicked",
		},
		{
			"typed nil", checker.Check{Run: func(context.Context) error {
				var n *nilable
				return n
			}}, checker.Critical, checker.ReasonError, "unavailable", "Dependency db is unavailable",
		},
		{
			"an error that panics when unwrapped",
			checker.Check{Run: func(context.Context) error { return trap{} }},
			checker.Critical, checker.ReasonError, "unavailable", "Dependency db is unavailable",
		},
		{
			"open circuit",
			checker.Check{Run: func(context.Context) error {
				return fmt.Errorf("db: %w", errors.Join(fail, circuit{open: true}))
			}, FailureThreshold: 5},
			checker.Critical, checker.ReasonCircuitOpen, "circuit_open",
			"Dependency db is not called: its circuit breaker is open",
		},
		{
			"optional open circuit",
			checker.Check{Run: func(context.Context) error {
				return circuit{open: true}
			}, Optional: true},
			checker.Warning, checker.ReasonCircuitOpen, "circuit_open",
			"Dependency db is not called: its circuit breaker is open",
		},
		{
			"closed circuit around an open one",
			checker.Check{Run: func(context.Context) error {
				return errors.Join(circuit{}, circuit{open: true})
			}},
			checker.Critical, checker.ReasonCircuitOpen, "circuit_open",
			"Dependency db is not called: its circuit breaker is open",
		},
		{
			"closed circuit",
			checker.Check{Run: func(context.Context) error { return circuit{} }},
			checker.Critical, checker.ReasonError, "unavailable", "Dependency db is unavailable",
		},
		{
			"no evidence", checker.Check{Run: func(context.Context) error {
				return fmt.Errorf("%w: %w", checker.ErrInconclusive, fail)
			}}, checker.Unknown, checker.ReasonStale, "", "Dependency db has no recent result",
		},
		{
			"degraded",
			checker.Check{Run: func(context.Context) error { return checker.Degraded("the index is old", fail) }},
			checker.Warning, checker.ReasonDegraded, "degraded", "Dependency db is degraded: the index is old",
		},
		{
			"optional degraded",
			checker.Check{Run: func(context.Context) error { return checker.Degraded("", fail) }, Optional: true},
			checker.Warning, checker.ReasonDegraded, "degraded", "Dependency db is degraded",
		},
		{
			"error with a public text",
			checker.Check{Run: func(context.Context) error { return checker.Failed("3 migrations are pending", fail) }},
			checker.Critical, checker.ReasonError, "unavailable", "Dependency db is unavailable: 3 migrations are pending",
		},
		{
			"open circuit with a public text",
			checker.Check{Run: func(context.Context) error { return checker.Failed("since noon", circuit{open: true}) }},
			checker.Critical, checker.ReasonCircuitOpen, "circuit_open",
			"Dependency db is not called: its circuit breaker is open: since noon",
		},
		{
			"degraded number",
			checker.Check{Measure: func(context.Context) (checker.Measurement, error) {
				return checker.Measurement{Value: 7, Unit: "s"}, checker.Degraded("one of two replicas is down", fail)
			}, Critical: checker.Above(9)},
			checker.Warning, checker.ReasonDegraded, "7.0", "Dependency db at 7.0 s: one of two replicas is down",
		},
		{
			"degraded without a number",
			checker.Check{Measure: func(context.Context) (checker.Measurement, error) {
				return checker.Measurement{}, checker.Degraded("no leader", fail)
			}, Critical: checker.Below(1)},
			checker.Warning, checker.ReasonDegraded, "degraded", "Dependency db is degraded: no leader",
		},
		{
			"degraded number beyond the limit",
			checker.Check{Measure: func(context.Context) (checker.Measurement, error) {
				return checker.Measurement{Value: 10}, checker.Degraded("no leader", fail)
			}, Critical: checker.Above(9)},
			checker.Critical, checker.ReasonThreshold, "10.0", "Dependency db at 10.0: no leader",
		},
		{
			"title",
			checker.Check{Run: pass, Title: "The ledger"},
			checker.Healthy, checker.ReasonOK, "available", "The ledger is available",
		},
		{
			"process",
			checker.Check{Run: pass, Kind: checker.Process},
			checker.Healthy, checker.ReasonOK, "available", "db is available",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				test.check.Name = "db"
				test.check.Interval = time.Minute
				test.check.FailingInterval = time.Minute
				c, _ := start(t, checker.Config{Checks: []checker.Check{test.check}})
				time.Sleep(5 * time.Second)
				r := result(t, c, "db")
				expect(t, r, test.status, test.reason, test.value)
				if r.Message != test.message {
					t.Errorf("message %q, want %q", r.Message, test.message)
				}
				if strings.Contains(r.Message, "hunter2") {
					t.Errorf("the message leaks: %q", r.Message)
				}
				if (r.Err == nil) != (r.Reason == checker.ReasonOK) {
					t.Errorf("Err is %v", r.Err)
				}
				if r.Err != nil {
					_ = r.Err.Error() // must not panic
				}
			})
		})
	}
}

func TestMeasurements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var value atomic.Value
		value.Store(42.04)
		var failing atomic.Bool
		c, _ := start(t, checker.Config{Checks: []checker.Check{{
			Name: "cpu_usage", Title: "CPU usage", Kind: checker.Resource, Interval: time.Second,
			Warning: checker.Above(64), Critical: checker.Above(80),
			Measure: func(context.Context) (checker.Measurement, error) {
				if failing.Load() {
					return checker.Measurement{}, errors.New(secret)
				}
				return checker.Measurement{Value: value.Load().(float64), Unit: "%", Source: "of the host"}, nil
			},
		}}})
		step := func(v float64) checker.Result {
			value.Store(v)
			time.Sleep(1100 * time.Millisecond)
			return result(t, c, "cpu_usage")
		}
		r := result(t, c, "cpu_usage")
		expect(t, r, checker.Healthy, checker.ReasonOK, "42.0")
		if r.Message != "CPU usage at 42.0% of the host" {
			t.Errorf("message %q", r.Message)
		}
		if r.Warning != checker.Above(64) || r.Critical != checker.Above(80) {
			t.Errorf("limits %v, %v", r.Warning, r.Critical)
		}
		expect(t, step(70), checker.Warning, checker.ReasonThreshold, "70.0")
		passed := time.Now()
		r = step(81)
		expect(t, r, checker.Critical, checker.ReasonThreshold, "81.0")
		since := r.Since
		r = step(79)
		expect(t, r, checker.Critical, checker.ReasonThreshold, "79.0")
		if !r.Since.Equal(since) || !r.At.After(since) {
			t.Errorf("since %v, want the transition at %v", r.Since, since)
		}
		if r.LastSuccess.After(passed) {
			t.Errorf("last success at %v, later than %v", r.LastSuccess, passed)
		}
		expect(t, step(75), checker.Warning, checker.ReasonThreshold, "75.0")
		expect(t, step(62), checker.Warning, checker.ReasonThreshold, "62.0")
		expect(t, step(20), checker.Healthy, checker.ReasonOK, "20.0")
		failing.Store(true)
		r = step(20)
		expect(t, r, checker.Critical, checker.ReasonError, "error")
		if r.Message != "CPU usage cannot be measured" || r.Measurement.Value != 20 {
			t.Errorf("message %q, measurement %v", r.Message, r.Measurement)
		}
		failing.Store(false)
		nan := 0.0
		r = step(nan / nan)
		expect(t, r, checker.Critical, checker.ReasonError, "error")
		expect(t, step(1), checker.Healthy, checker.ReasonOK, "1.0")
	})
}

func TestGatesDefaultByKind(t *testing.T) {
	c, err := checker.New(checker.Config{Checks: []checker.Check{
		{Name: "a", Run: pass},
		{Name: "b", Run: pass, Optional: true},
		{Name: "c", Run: pass, Kind: checker.Resource},
		{Name: "d", Run: pass, Kind: checker.Process},
		{Name: "e", Run: pass, Gates: []string{checker.None}},
		{Name: "f", Run: pass, Kind: checker.Resource, Gates: []string{"shop.v1.Orders", checker.Startup}},
		{Name: "g", Run: pass, Optional: true, Gates: []string{checker.None}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"readiness", "", "", "liveness", "", "shop.v1.Orders startup", ""}
	for i, r := range c.Snapshot().Results {
		if got := strings.Join(r.Gates, " "); got != want[i] {
			t.Errorf("%s gates %q, want %q", r.Name, got, want[i])
		}
		status := map[bool]checker.Status{false: checker.Unknown, true: checker.Warning}[r.Optional]
		expect(t, *r, status, checker.ReasonNotRunYet, "")
		if !strings.HasSuffix(r.Message, "has not been checked yet") {
			t.Errorf("message %q", r.Message)
		}
	}
}
