package stripe

import (
	"sync"
	"testing"
)

func TestCountIsAPowerOfTwoWithinBounds(t *testing.T) {
	for procs, want := range map[int]int{1: 16, 2: 16, 3: 32, 4: 32, 64: 32, 1024: 32} {
		if got := countFor(procs); got != want {
			t.Errorf("countFor(%d) = %d, want %d", procs, got, want)
		}
	}
}

func TestGoroutinesSpreadOverTheStripes(t *testing.T) {
	const goroutines = 1600
	var mu sync.Mutex
	seen := map[uint32]int{}
	var ready, done sync.WaitGroup
	ready.Add(goroutines)
	release := make(chan struct{})
	for range goroutines {
		done.Go(func() {
			ready.Done()
			<-release // all stacks are alive at once
			l := Of(15)
			mu.Lock()
			seen[l]++
			mu.Unlock()
		})
	}
	ready.Wait()
	close(release)
	done.Wait()
	if len(seen) != 16 {
		t.Fatalf("%d of 16 stripes are used", len(seen))
	}
	for l, n := range seen {
		if n > goroutines/4 {
			t.Errorf("stripe %d has %d of %d goroutines", l, n, goroutines)
		}
	}
}

func TestOfDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { Of(15) }); n != 0 {
		t.Errorf("Of allocates %v times", n)
	}
}
