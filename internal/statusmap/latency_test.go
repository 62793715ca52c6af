package statusmap_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitals-go/vitals/internal/statusmap"
)

// BenchmarkLatency changes a name with 50,000 watches, each of which then works as long as a Send takes, and reports how
// long an unrelated goroutine waits for a processor meanwhile.
func BenchmarkLatency(b *testing.B) {
	const watches = 50_000
	m := newMap()
	m.Set("a", serving)
	var seen atomic.Int64
	all := make(chan struct{}, 1)
	leave := workingCrowd(m, watches, func() {
		for start := time.Now(); time.Since(start) < 4*time.Microsecond; {
		}
		if seen.Add(1)%watches == 0 {
			all <- struct{}{}
		}
	})
	defer leave()
	<-all
	stop, waits := make(chan struct{}), make(chan []time.Duration)
	go measureWaits(stop, waits)
	states := [2]status{notServing, serving}
	for n := 0; b.Loop(); n++ {
		m.Set("a", states[n%2])
		<-all
	}
	close(stop)
	waited := <-waits
	slices.Sort(waited)
	b.ReportMetric(float64(waited[len(waited)*99/100].Microseconds()), "µs-p99-wait")
	b.ReportMetric(float64(waited[len(waited)-1].Microseconds()), "µs-worst-wait")
}

// measureWaits starts a goroutine now and then and measures how long it takes until it runs.
func measureWaits(stop chan struct{}, waits chan<- []time.Duration) {
	var waited []time.Duration
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case due := <-tick.C:
			ran := make(chan struct{})
			go close(ran)
			<-ran
			waited = append(waited, time.Since(due))
		case <-stop:
			waits <- waited
			return
		}
	}
}

func workingCrowd(b *statusmap.Map[status], n int, work func()) (leave func()) {
	var group sync.WaitGroup
	for range n {
		w := b.Watch("a")
		group.Go(func() {
			defer w.Close()
			for {
				_, last := w.Status()
				if last {
					return
				}
				work()
				w.Wait(nil)
			}
		})
	}
	return func() {
		b.End()
		group.Wait()
	}
}
