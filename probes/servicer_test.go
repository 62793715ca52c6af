package probes_test

import (
	"testing"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
)

func TestAServicerIsASource(t *testing.T) {
	t.Parallel()
	health, err := servicer.New(servicer.Config{})
	if err != nil {
		t.Fatal(err)
	}
	h := newHandler(t, probes.HandlerConfig{Health: health})
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
