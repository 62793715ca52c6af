package promvitals

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
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
