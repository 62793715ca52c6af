package servicer_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/logtest"
	"github.com/vitals-go/vitals/servicer"
)

// startShadowed runs a server with a check in shadow that fails while down is set, beside one that passes.
func startShadowed(t *testing.T, down *atomic.Bool, log *logtest.Log, gates ...string) *servicer.Server {
	t.Helper()
	c, err := checker.New(checker.Config{Logger: slog.New(slog.NewTextHandler(log, nil)), Checks: []checker.Check{
		{Name: "database", Run: func(context.Context) error { return nil }},
		{Name: "ledger", Shadow: true, Gates: gates, Interval: time.Second, FailingInterval: time.Second, Jitter: -1, Run: func(context.Context) error {
			if down.Load() {
				return errors.New("connection refused")
			}
			return nil
		}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, servicer.Config{Checker: c, Services: []string{"shop.v1.Carts", "shop.v1.Orders"}, Logger: slog.New(slog.NewTextHandler(log, nil))})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- c.Run(ctx) }()
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	time.Sleep(1500 * time.Millisecond)
	synctest.Wait()
	return s
}

// expectShadow compares Report.Shadow with the names.
func expectShadow(t *testing.T, s *servicer.Server, want ...string) {
	t.Helper()
	var got []string
	for _, n := range s.Report().Shadow {
		got = append(got, n.Name)
		if n.Status != notServing || len(n.Causes) != 1 || n.Causes[0].Check == "" {
			t.Errorf("shadow has %+v", n)
		}
	}
	if strings.Join(got, ",") != strings.Join(want, ",") {
		t.Errorf("shadow has %q, want %q", got, want)
	}
}

func TestShadowSaysWhatACheckWouldDoAndDoesNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		var log logtest.Log
		s := startShadowed(t, &down, &log)
		expectShadow(t, s)
		before := s.Report()
		down.Store(true)
		time.Sleep(time.Second)
		synctest.Wait()
		expectShadow(t, s, "", "ledger", "readiness", "shop.v1.Carts", "shop.v1.Orders")
		for _, n := range s.Report().Names {
			if was, _ := before.Lookup(n.Name); n.Status != was.Status || len(n.Causes) > 0 {
				t.Errorf("%+v, want what it was before", n)
			}
		}
		if m, _ := s.Report().Metric("dependency_ledger"); m.Status != checker.Warning || s.Report().Overall != checker.Warning {
			t.Errorf("the metric is %+v, overall %v; want those of an optional check", m, s.Report().Overall)
		}
		time.Sleep(3*time.Minute - time.Second)
		down.Store(false)
		time.Sleep(time.Second)
		synctest.Wait()
		expectShadow(t, s)
		var found []servicer.Transition
		for _, tr := range s.Report().Transitions {
			if strings.HasPrefix(tr.Subject, "shadow/") {
				found = append(found, tr)
			}
		}
		if len(found) != 2 || found[1].Subject != "shadow/readiness" || found[1].From != "SERVING" || found[1].To != "NOT_SERVING" ||
			found[1].PreviousFor != 0 || len(found[1].Names) != 5 || !strings.Contains(found[1].Text, "ledger: Dependency ledger is unavailable") ||
			found[0].To != "SERVING" || found[0].PreviousFor != 3*time.Minute {
			t.Errorf("transitions are %+v", found)
		}
		for _, line := range []string{
			`level=INFO msg="shadow: names would not be serving"`, `level=INFO msg="shadow: names would be serving again"`, `vitals.names="[server ledger shop.v1.Carts shop.v1.Orders]" vitals.previous_for=3m0s`,
			`level=WARN msg="Dependency ledger is unavailable"`,
		} {
			if strings.Count(log.String(), line) != 1 && !strings.Contains(line, "WARN") || !strings.Contains(log.String(), line) {
				t.Errorf("the log lacks %s once:\n%s", line, log.String())
			}
		}
		if strings.Contains(log.String(), "is not serving") || strings.Contains(log.String(), "level=ERROR") {
			t.Errorf("the log has more than the shadow:\n%s", log.String())
		}
	})
}

func TestShadowOfTheNameThatACheckGates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for gates, want := range map[string][]string{
			"shop.v1.Carts":   {"ledger", "shop.v1.Carts"},
			checker.Liveness:  {"ledger", "liveness"},
			checker.None:      {"ledger"},
			checker.Readiness: {"", "ledger", "readiness", "shop.v1.Carts", "shop.v1.Orders"},
		} {
			var down atomic.Bool
			s := startShadowed(t, &down, new(logtest.Log), gates)
			down.Store(true)
			time.Sleep(time.Second)
			synctest.Wait()
			expectShadow(t, s, want...)
		}
	})
}

// TestShadowBesideARealCause: a name that something else keeps from serving is in the shadow with what is in shadow only.
func TestShadowBesideARealCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		s := startShadowed(t, &down, new(logtest.Log), "shop.v1.Carts")
		if err := s.SetMaintenance("", "migration", time.Hour); err != nil {
			t.Fatal(err)
		}
		down.Store(true)
		time.Sleep(time.Second)
		synctest.Wait()
		expectShadow(t, s, "ledger", "shop.v1.Carts")
		if n := s.Report().Shadow[1]; n.Causes[0].Check != "ledger" {
			t.Errorf("causes are %+v", n.Causes)
		}
	})
}

func TestShadowDoesNotHoldTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		down.Store(true)
		s := startShadowed(t, &down, new(logtest.Log), checker.Startup, checker.Readiness)
		if s.Phase() != servicer.Ready {
			t.Errorf("phase is %v", s.Phase())
		}
		expectShadow(t, s, "", "ledger", "readiness", "shop.v1.Carts", "shop.v1.Orders")
	})
}

func TestShadowOfStuckCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newDeadlocked(t, servicer.RequestPolicy{StuckGates: []string{checker.Liveness}, Shadow: true})
		s.call("Get", true)
		time.Sleep(time.Minute)
		synctest.Wait()
		expectShadow(t, s.Server, "liveness")
		if m, _ := s.Report().Metric("requests_stuck"); m.Status != checker.Warning || check(t, s.Server, "liveness") != serving {
			t.Errorf("%+v, and liveness is %v", m, check(t, s.Server, "liveness"))
		}
		s.free()
		time.Sleep(2 * time.Second)
		expectShadow(t, s.Server)
	})
}

func TestShadowAndOptionalAreAMistake(t *testing.T) {
	_, err := checker.New(checker.Config{Checks: []checker.Check{{
		Name: "ledger", Optional: true, Shadow: true, Run: func(context.Context) error { return nil },
	}}})
	if err == nil || !strings.Contains(err.Error(), "Shadow") {
		t.Errorf("got %v", err)
	}
}
