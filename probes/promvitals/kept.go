package promvitals

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// keep is how long what the operating system and the runtime said is good for: nobody who scrapes that often wants to
// know more, and to ask them is most of what a small page costs.
const keep = 100 * time.Millisecond

// kept asks a collector at most once in every keep.
type kept struct {
	prometheus.Collector

	mu      sync.Mutex
	until   time.Time
	metrics []prometheus.Metric
}

// Collect implements prometheus.Collector.
func (k *kept) Collect(metrics chan<- prometheus.Metric) {
	for _, m := range k.recent() {
		metrics <- m
	}
}

func (k *kept) recent() []prometheus.Metric {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := time.Now(); !now.Before(k.until) {
		k.metrics, k.until = all(k.Collector), now.Add(keep)
	}
	return k.metrics
}

// all returns what a collector has. It collects here, where a registry recovers if it panics.
func all(c prometheus.Collector) (list []prometheus.Metric) {
	metrics, read := make(chan prometheus.Metric), make(chan struct{})
	go func() {
		defer close(read)
		for m := range metrics {
			list = append(list, m)
		}
	}()
	func() {
		defer close(metrics)
		c.Collect(metrics)
	}()
	<-read
	return list
}
