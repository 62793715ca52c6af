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

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/logtest"
	"github.com/vitals-go/vitals/servicer"
)

const (
	isServing    = healthpb.HealthCheckResponse_SERVING
	isNotServing = healthpb.HealthCheckResponse_NOT_SERVING
)

// running runs a Server and its checks until the test ends.
func running(t *testing.T, cfg servicer.Config, checks ...checker.Check) *servicer.Server {
	t.Helper()
	for i := range checks {
		checks[i].Interval, checks[i].Jitter = time.Second, -1
	}
	var err error
	if cfg.Checker, err = checker.New(checker.Config{Checks: checks}); err != nil {
		t.Fatal(err)
	}
	s, err := servicer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- cfg.Checker.Run(ctx) }()
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, <-ended); err != nil {
			t.Error(err)
		}
	})
	time.Sleep(time.Second)
	return s
}

func wantStatus(t *testing.T, s *servicer.Server, name string, want healthpb.HealthCheckResponse_ServingStatus, reasons ...checker.Reason) {
	t.Helper()
	synctest.Wait()
	answer, err := s.Check(t.Context(), &healthpb.HealthCheckRequest{Service: name})
	if err != nil || answer.GetStatus() != want {
		t.Errorf("%q is %v, %v; want %v", name, answer.GetStatus(), err, want)
	}
	entry, found := s.Report().Lookup(name)
	if !found || entry.Status != want || len(entry.Causes) != len(reasons) {
		t.Errorf("%q is %+v in the report, want %v for %v", name, entry, want, reasons)
		return
	}
	for i, cause := range entry.Causes {
		if cause.Reason != reasons[i] {
			t.Errorf("%q does not serve because of %v, want %v", name, cause, reasons[i])
		}
	}
}

func TestGroupServesWhileItsChecksDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cache, disk, search atomic.Bool
		run := func(down *atomic.Bool) func(context.Context) error {
			return func(context.Context) error {
				if down.Load() {
					return errors.New("down")
				}
				return nil
			}
		}
		s := running(t, servicer.Config{Groups: map[string][]string{"storage": {"cache"}, "reading": {"cache", "search"}}},
			checker.Check{Name: "cache", Run: run(&cache)},
			checker.Check{Name: "disk", Run: run(&disk), Gates: []string{"storage"}},
			checker.Check{Name: "search", Run: run(&search), Optional: true},
		)
		wantStatus(t, s, "storage", isServing)
		wantStatus(t, s, "reading", isServing)
		disk.Store(true)
		search.Store(true)
		time.Sleep(time.Second)
		wantStatus(t, s, "storage", isNotServing, checker.ReasonError)
		wantStatus(t, s, "reading", isServing) // search is optional
		wantStatus(t, s, "", isServing)        // disk gates the group only
		disk.Store(false)
		cache.Store(true)
		time.Sleep(time.Second)
		wantStatus(t, s, "storage", isNotServing, checker.ReasonError)
		wantStatus(t, s, "reading", isNotServing, checker.ReasonError)
		if err := s.SetMaintenance("reading", "a new index", time.Hour); err != nil {
			t.Error(err)
		}
		wantStatus(t, s, "reading", isNotServing, checker.ReasonMaintenance, checker.ReasonError)
		if err := s.AddServices("storage"); err == nil {
			t.Error("a service has the name of a group")
		}
	})
}

func TestGroupMistakes(t *testing.T) {
	checks, err := checker.New(checker.Config{Checks: []checker.Check{{Name: "cache", TTL: time.Minute}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = servicer.New(servicer.Config{Checker: checks, Services: []string{"shop.v1.Orders"}, Groups: map[string][]string{
		"empty": nil, "": {"cache"}, "liveness": {"cache"}, "shop.v1.Orders": {"cache"}, "cache": {"cache"}, "typo": {"cahce"}, "twice": {"cache", "cache"},
	}})
	for _, want := range []string{
		`group "empty" has no checks`, `group "" has the name of a probe`, `group "liveness" has the name of a probe`,
		`group "shop.v1.Orders" has the name of a service`, `group "cache" has the name of a check`, `group "typo" has an unknown check "cahce"`,
		`group "twice" lists the check "cache" twice`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestStandbyIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logtest.Log
		var down atomic.Bool
		s := running(t, servicer.Config{
			Services: []string{"shop.v1.Orders"}, Groups: map[string][]string{"storage": {"database"}},
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		}, checker.Check{Name: "database", Run: func(context.Context) error {
			if down.Load() {
				return errors.New("down")
			}
			return nil
		}})
		s.SetStandby(true)
		for _, name := range []string{"", checker.Readiness, "shop.v1.Orders"} {
			wantStatus(t, s, name, isNotServing, checker.ReasonStandby)
		}
		for _, name := range []string{checker.Liveness, checker.Startup, "storage", "database"} {
			wantStatus(t, s, name, isServing)
		}
		if r := s.Report(); r.Overall != checker.Healthy || !r.Standby {
			t.Errorf("overall %v, standby %v", r.Overall, r.Standby)
		}
		if time.Sleep(time.Second); strings.Contains(log.String(), "WARN") || !strings.Contains(log.String(), "reason=standby") {
			t.Errorf("standby is logged as a failure, or not at all:\n%s", log.String())
		}
		down.Store(true)
		time.Sleep(2 * time.Second)
		wantStatus(t, s, "", isNotServing, checker.ReasonError, checker.ReasonStandby)
		s.SetStandby(false)
		wantStatus(t, s, "", isNotServing, checker.ReasonError)
		down.Store(false)
		time.Sleep(2 * time.Second)
		wantStatus(t, s, "", isServing)
	})
}

// The manual status of a group comes and goes like that of a service.
func TestGroupRemainsKnownWithoutManualStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := running(t, servicer.Config{Groups: map[string][]string{"storage": {"disk"}}},
			checker.Check{Name: "disk", Run: func(context.Context) error { return nil }})
		expect := func(want healthpb.HealthCheckResponse_ServingStatus) {
			t.Helper()
			response, err := s.Check(t.Context(), &healthpb.HealthCheckRequest{Service: "storage"})
			if err != nil || response.GetStatus() != want {
				t.Errorf("Check: %v, %v, want %v", response.GetStatus(), err, want)
			}
			if n, found := s.Report().Lookup("storage"); !found || n.Status != want {
				t.Errorf("report: %+v, %v, want %v", n, found, want)
			}
		}
		expect(isServing)
		s.SetServingStatus("storage", isNotServing)
		expect(isNotServing)
		s.RemoveServingStatus("storage")
		expect(isServing)
	})
}

func TestOptionalCheckThatHasNeverPassedIsNotInTheWayOfItsGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := func(context.Context) error { return errors.New("connection refused") }
		c, err := checker.New(checker.Config{Checks: []checker.Check{
			{Name: "cache", Optional: true, Run: refused},
			{Name: "database", Run: func(context.Context) error { return nil }},
		}})
		if err != nil {
			t.Fatal(err)
		}
		s := newServer(t, servicer.Config{Checker: c, Groups: map[string][]string{"reading": {"cache", "database"}}})
		ctx, cancel := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer cancel()
		go c.Run(ctx)
		go s.Run(ctx)
		time.Sleep(time.Second)
		wantStatus(t, s, "reading", isServing)
	})
}
