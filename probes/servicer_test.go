package probes_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

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
