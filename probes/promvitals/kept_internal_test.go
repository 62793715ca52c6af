package promvitals

import (
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

// asked is a collector that counts how often it was asked.
type asked struct {
	mu    sync.Mutex
	times int
}

var askedDesc = prometheus.NewDesc("asked_total", "How often.", nil, nil)

func (a *asked) Describe(descs chan<- *prometheus.Desc) { descs <- askedDesc }

func (a *asked) Collect(metrics chan<- prometheus.Metric) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.times++
	for range 3 {
		metrics <- prometheus.MustNewConstMetric(askedDesc, prometheus.CounterValue, float64(a.times))
	}
}

func TestKeptMetricsAreRecent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &asked{}
		k := &kept{Collector: a}
		for _, step := range []struct {
			wait time.Duration
			want int
		}{{0, 1}, {0, 1}, {keep - time.Millisecond, 1}, {time.Millisecond, 2}, {keep, 3}, {keep / 2, 3}} {
			time.Sleep(step.wait)
			var scraping sync.WaitGroup
			for range 3 {
				scraping.Go(func() {
					if got := len(all(k)); got != 3 {
						t.Errorf("%d metrics, want 3", got)
					}
				})
			}
			scraping.Wait()
			if a.times != step.want {
				t.Errorf("after %v more it was asked %d times in all, want %d", step.wait, a.times, step.want)
			}
		}
	})
}

func TestKeptCollectorThatPanicsFailsAlone(t *testing.T) {
	defer goleak.VerifyNone(t)
	registry := prometheus.NewRegistry()
	registry.MustRegister(&kept{Collector: panicking{}})
	if _, err := registry.Gather(); err == nil || !strings.Contains(err.Error(), "no metrics") {
		t.Errorf("gathered with %v", err)
	}
}

type panicking struct{ prometheus.Collector }

func (panicking) Describe(chan<- *prometheus.Desc) {}

func (panicking) Collect(chan<- prometheus.Metric) { panic("no metrics") }

func TestHandlerKeepsWhatTheRuntimeSaysForATenthOfASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page, err := Handler()
		if err != nil {
			t.Fatal(err)
		}
		goroutines := func() string {
			response := httptest.NewRecorder()
			page.ServeHTTP(response, httptest.NewRequest("GET", "/metrics?name[]=go_goroutines", nil))
			return response.Body.String()
		}
		before, end := goroutines(), make(chan struct{})
		defer close(end)
		for range 100 {
			go func() { <-end }()
		}
		synctest.Wait()
		if got := goroutines(); got != before {
			t.Errorf("asked again at once: %s, then %s", before, got)
		}
		time.Sleep(100 * time.Millisecond)
		if got := goroutines(); got == before {
			t.Errorf("after a tenth of a second it is still %s", got)
		}
	})
}
