package statusmap_test

import (
	"sync"
	"testing"
	"time"

	"github.com/vitals-go/vitals/internal/statusmap"
)

// crowd makes n goroutines watch name, and returns what ends them.
func crowd(b *statusmap.Map[status], name string, n int) (leave func()) {
	var inside, all sync.WaitGroup
	inside.Add(n)
	for range n {
		all.Go(func() {
			w := b.Watch(name)
			defer w.Close()
			inside.Done()
			for {
				if _, last := w.Status(); last {
					return
				}
				w.Wait(nil)
			}
		})
	}
	inside.Wait()
	return func() {
		b.End()
		all.Wait()
	}
}

func TestLookupAndEqualSetDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	b := newMap()
	b.Set("a", serving)
	for name, run := range map[string]func(){
		"Lookup of a known name":    func() { b.Lookup("a") },
		"Lookup of an unknown name": func() { b.Lookup("absent") },
		"Set to what is set":        func() { b.Set("a", serving) },
	} {
		if n := testing.AllocsPerRun(100, run); n != 0 {
			t.Errorf("%s allocates %v times, want 0", name, n)
		}
	}
}

func TestChangeAllocatesTheSameForAnyNumberOfWatches(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, watches := range []int{0, 1, 1000} {
		b := newMap()
		leave := crowd(b, "a", watches)
		b.Set("a", serving)
		flip := notServing
		n := testing.AllocsPerRun(100, func() {
			b.Set("a", flip)
			if flip == notServing {
				flip = serving
			} else {
				flip = notServing
			}
		})
		if n > 4 {
			t.Errorf("a change with %d watches allocates %v times, want at most 4", watches, n)
		}
		leave()
	}
}

// TestNotifyHoldsNoLock wakes watches who only ask for the next state, while others change and read the same name:
// with the map's lock held they would deadlock.
func TestNotifyHoldsNoLock(t *testing.T) {
	b := newMap()
	leave := crowd(b, "a", 2000)
	defer leave()
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for n := range 50 {
				b.Set("a", []status{serving, notServing}[n%2])
				b.Watch("a").Close()
			}
		})
	}
	writers.Wait()
}

func BenchmarkSetEqual(b *testing.B) {
	m := newMap()
	defer crowd(m, "a", 10_000)()
	m.Set("a", serving)
	b.ReportAllocs()
	for b.Loop() {
		m.Set("a", serving)
	}
}

func BenchmarkLookup(b *testing.B) {
	m := newMap()
	m.Set("shop.v1.Orders", serving)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Lookup("shop.v1.Orders")
		}
	})
}

// BenchmarkSetChange reports how long the writer is busy; the watches wake up meanwhile and afterwards.
func BenchmarkSetChange(b *testing.B) {
	for name, watches := range map[string]int{"watches=0": 0, "watches=10000": 10_000} {
		b.Run(name, func(b *testing.B) {
			m := newMap()
			defer crowd(m, "a", watches)()
			states := [2]status{serving, notServing}
			b.ReportAllocs()
			var busy time.Duration
			for n := 0; b.Loop(); n++ {
				start := time.Now()
				m.Set("a", states[n%2])
				busy += time.Since(start)
			}
			b.ReportMetric(float64(busy.Nanoseconds())/float64(b.N), "ns-writer/op")
		})
	}
}
