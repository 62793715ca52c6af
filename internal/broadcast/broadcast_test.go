package broadcast_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/vitals-go/vitals/internal/broadcast"
)

func TestReadersSeeTheNewestVersionInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zero := 0
		v := broadcast.New(&zero)
		var seen []int
		var readers sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		readers.Go(func() {
			for n := range v.Changes(ctx) {
				seen = append(seen, *n)
			}
		})
		synctest.Wait()
		for n := 1; n <= 3; n++ {
			v.Store(&n)
			synctest.Wait()
		}
		cancel()
		readers.Wait()
		if len(seen) != 4 || seen[0] != 0 || seen[3] != 3 {
			t.Fatalf("seen %v, want [0 1 2 3]", seen)
		}
	})
}

func TestSlowReaderSkipsToTheNewest(t *testing.T) {
	zero := 0
	v := broadcast.New(&zero)
	var seen []int
	for n := range v.Changes(t.Context()) {
		seen = append(seen, *n)
		if len(seen) == 2 {
			break
		}
		for n := 1; n <= 1000; n++ {
			v.Store(&n)
		}
	}
	if seen[1] != 1000 {
		t.Fatalf("second version seen is %d, want the newest, 1000", seen[1])
	}
}

func TestConcurrentWritersCloseEachVersionOnce(t *testing.T) {
	zero := 0
	v := broadcast.New(&zero)
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for n := range 500 {
				v.Store(&n)
			}
		})
	}
	writers.Wait()
	if got := *v.Load(); got != 499 {
		t.Fatalf("last version is %d, want 499", got)
	}
}

func TestLoadDoesNotAllocate(t *testing.T) {
	zero := 0
	v := broadcast.New(&zero)
	if n := testing.AllocsPerRun(100, func() { v.Load() }); n != 0 {
		t.Fatalf("Load allocates %v times, want 0", n)
	}
}

func TestChangesOfAContextThatIsDoneAreNone(t *testing.T) {
	zero := 0
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range broadcast.New(&zero).Changes(ctx) {
		t.Fatal("got a version")
	}
}
