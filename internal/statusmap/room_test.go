package statusmap_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitals-go/vitals/internal/statusmap"
)

// BenchmarkRoom changes a name that 50,000 watch, each of whom then works as long as a message takes to be written, and
// reports how long somebody else, who has nothing to do with them, waits meanwhile for a turn.
func BenchmarkRoom(b *testing.B) {
	const watches = 50_000
	board := newBoard()
	board.Set("a", serving)
	var told atomic.Int64
	everybody := make(chan struct{}, 1)
	leave := workingCrowd(board, watches, func() {
		for start := time.Now(); time.Since(start) < 4*time.Microsecond; {
		}
		if told.Add(1)%watches == 0 {
			everybody <- struct{}{}
		}
	})
	defer leave()
	<-everybody
	stop, waits := make(chan struct{}), make(chan []time.Duration)
	go neighbour(stop, waits)
	states := [2]state{notServing, serving}
	for n := 0; b.Loop(); n++ {
		board.Set("a", states[n%2])
		<-everybody
	}
	close(stop)
	waited := <-waits
	slices.Sort(waited)
	b.ReportMetric(float64(waited[len(waited)*99/100].Microseconds()), "µs-p99-wait")
	b.ReportMetric(float64(waited[len(waited)-1].Microseconds()), "µs-worst-wait")
}

// neighbour starts a goroutine now and then and measures how long it takes until it runs.
func neighbour(stop chan struct{}, waits chan<- []time.Duration) {
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

func workingCrowd(b *statusmap.Map[state], n int, work func()) (leave func()) {
	var all sync.WaitGroup
	for range n {
		w := b.Watch("a")
		all.Go(func() {
			defer w.Close()
			for {
				_, last := w.State()
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
		all.Wait()
	}
}
