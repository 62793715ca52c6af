package checker

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestNextStart(t *testing.T) {
	start := time.Unix(1000, 0)
	tests := []struct {
		name   string
		after  time.Duration // now, after start
		jitter float64
		draw   float64
		want   time.Duration // after start
	}{
		{"from start to start", 7 * time.Second, 0, 0.9, 30 * time.Second},
		{"earliest", 0, 0.1, 0, 27 * time.Second},
		{"middle", 0, 0.1, 0.5, 30 * time.Second},
		{"latest", 0, 0.1, 1, 33 * time.Second},
		{"full jitter", 0, 1, 0, 0},
		{"overdue starts now", 45 * time.Second, 0.1, 0.5, 45 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := nextStart(start, start.Add(test.after), 30*time.Second, test.jitter, test.draw)
			if want := start.Add(test.want); got.Sub(want).Abs() > time.Microsecond {
				t.Fatalf("got %v, want %v", got, want)
			}
		})
	}
}

func TestNextStartStaysWithinJitter(t *testing.T) {
	start := time.Unix(1000, 0)
	random := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		interval := time.Duration(1 + random.Int64N(int64(time.Hour)))
		jitter := random.Float64()
		due := nextStart(start, start, interval, jitter, random.Float64())
		if off := due.Sub(start) - interval; float64(off.Abs()) > float64(interval)*jitter+1 {
			t.Fatalf("interval %v, jitter %v: off by %v", interval, jitter, off)
		}
	}
}

// TestTimerHeapKeepsOrder compares the heap with a sorted list over random changes.
func TestTimerHeapKeepsOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var a timerHeap
	entries := make([]*entry, 50)
	for i := range entries {
		entries[i] = &entry{slot: -1}
	}
	for range 5000 {
		e := entries[random.IntN(len(entries))]
		if random.IntN(4) == 0 {
			a.remove(e)
		} else {
			a.set(e, time.Unix(random.Int64N(1000), 0))
		}
		for i, e := range a {
			if e.slot != i {
				t.Fatalf("entry at %d believes to be at %d", i, e.slot)
			}
		}
		if len(a) == 0 {
			continue
		}
		first := slices.MinFunc(a, func(x, y *entry) int { return x.wake.Compare(y.wake) })
		if !a[0].wake.Equal(first.wake) {
			t.Fatalf("first is %v, want %v", a[0].wake, first.wake)
		}
	}
}
