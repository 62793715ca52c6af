package probes_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
)

func TestServerIsAReportSource(t *testing.T) {
	t.Parallel()
	health, err := servicer.New(servicer.Config{})
	if err != nil {
		t.Fatal(err)
	}
	h := newHandler(t, probes.HandlerConfig{Source: health})
	want := func(when string, codes map[string]int) {
		t.Helper()
		for path, code := range codes {
			if got := get(t, h, path).Code; got != code {
				t.Errorf("%s: GET %s = %d, want %d", when, path, got, code)
			}
		}
	}
	want("born", map[string]int{"/health": 200, "/live": 200, "/ready": 200, "/startup": 200})
	health.Shutdown()
	want("shut down", map[string]int{"/live": 200, "/ready": 503, "/startup": 200})
	health.Resume()
	want("resumed", map[string]int{"/live": 200, "/ready": 200})
	if got := health.Report().Overall; got != checker.Healthy {
		t.Errorf("overall %v", got)
	}
}

func TestReadyFailsDuringTheDrainDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		health, err := servicer.New(servicer.Config{DrainDelay: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		h := newHandler(t, probes.HandlerConfig{Source: health})
		if got := get(t, h, "/ready").Code; got != 200 {
			t.Fatalf("before the drain: %d", got)
		}
		var drain sync.WaitGroup
		drain.Go(func() { _ = health.Drain(t.Context()) })
		time.Sleep(time.Second)
		for path, code := range map[string]int{"/health": 503, "/ready": 503, "/live": 200, "/startup": 200} {
			if got := get(t, h, path).Code; got != code {
				t.Errorf("during the drain: GET %s = %d, want %d", path, got, code)
			}
		}
		drain.Wait()
	})
}

func TestSourceWithoutReportIsUnknown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := t.TempDir() + "/health"
		stopFile := running(t, newFile(t, probes.FileConfig{Source: newScript(nil), Path: path}))
		page, stop := listen(t, newHandler(t, probes.HandlerConfig{Source: newScript(nil)}))
		synctest.Wait()
		if status, err := probes.ReadFile(path); err != nil || status.Ready || status.Healthy || !status.Live {
			t.Errorf("file: %+v, %v", status, err)
		}
		if events := page.events(t); len(events) != 1 || events[0].Severity != "unknown" {
			t.Errorf("events: %+v", events)
		}
		stop()
		stopFile()
	})
}

// TestOptionalCheckWithoutResultKeepsHealth200 starts a checker later, so that its checks have no result.
func TestOptionalCheckWithoutResultKeepsHealth200(t *testing.T) {
	t.Parallel()
	for optional, want := range map[bool]int{true: 200, false: 503} {
		checks, err := checker.New(checker.Config{Checks: []checker.Check{
			{Name: "cache", Optional: optional, Run: func(context.Context) error { return nil }},
		}})
		if err != nil {
			t.Fatal(err)
		}
		health, err := servicer.New(servicer.Config{Checker: checks})
		if err != nil {
			t.Fatal(err)
		}
		h := newHandler(t, probes.HandlerConfig{Source: health})
		for _, path := range []string{"/health", "/health/cache", "/health/dependency_cache", "/ready"} {
			if got := get(t, h, path).Code; got != want {
				t.Errorf("optional %v: GET %s = %d, want %d", optional, path, got, want)
			}
		}
	}
}

func TestManualStatusOfOverallOrReadinessFailsReady(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "readiness"} {
		health, err := servicer.New(servicer.Config{})
		if err != nil {
			t.Fatal(err)
		}
		h := newHandler(t, probes.HandlerConfig{Source: health})
		for _, step := range []struct {
			status healthpb.HealthCheckResponse_ServingStatus
			code   int
		}{
			{healthpb.HealthCheckResponse_NOT_SERVING, 503},
			{healthpb.HealthCheckResponse_SERVING, 200},
		} {
			health.SetServingStatus(name, step.status)
			for _, path := range []string{"/ready", "/readyz", "/health/readiness"} {
				if got := get(t, h, path).Code; got != step.code {
					t.Errorf("%q is %v: GET %s = %d, want %d", name, step.status, path, got, step.code)
				}
			}
		}
	}
}
