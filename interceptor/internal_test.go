package interceptor

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"
)

// The table look-up must agree with the documented rule: the first bucket whose bound is not below the duration.
func TestBucketOfIsTheFirstThatHolds(t *testing.T) {
	check := func(d time.Duration) {
		want := 0
		for want < bounded && int64(d) > bounds[want] {
			want++
		}
		if got := bucketOf(d); got != want {
			t.Fatalf("bucketOf(%d) = %d, want %d", d, got, want)
		}
	}
	for _, d := range []time.Duration{-1, 0, 1, 63, 64, 99, 100, 101, 127, 128, time.Hour, math.MaxInt64} {
		check(d)
	}
	for _, bound := range bounds[:bounded] {
		check(time.Duration(bound) - 1)
		check(time.Duration(bound))
		check(time.Duration(bound) + 1)
	}
	for range 200_000 {
		check(time.Duration(rand.Int64() >> rand.N(63)))
	}
}

func TestStripesFillPairsOfCacheLines(t *testing.T) {
	if size := unsafe.Sizeof(stripe{}); size%128 != 0 || size > 1792 {
		t.Errorf("a stripe has %d bytes, want a multiple of 128, 1792 at most", size)
	}
	if size := unsafe.Sizeof(failStripe{}); size%128 != 0 || size > 1792 {
		t.Errorf("a failStripe has %d bytes, want a multiple of 128, 1792 at most", size)
	}
	if size := unsafe.Sizeof(mark{}); size > 896 {
		t.Errorf("a mark has %d bytes, want 896 at most", size)
	}
}

func TestStripesFor(t *testing.T) {
	for procs, want := range map[int]int{1: 16, 2: 16, 3: 32, 4: 32, 64: 32} {
		if got := stripesFor(procs); got != want {
			t.Errorf("stripesFor(%d) = %d, want %d", procs, got, want)
		}
	}
}

// Affinity aside, goroutines that live at the same time must not all meet in a few stripes.
func TestLanesSpread(t *testing.T) {
	const goroutines, stripes = 1600, 16
	lanes := make(chan uint32)
	release := make(chan struct{})
	for range goroutines {
		go func() {
			lanes <- lane(stripes - 1)
			<-release
		}()
	}
	var used [stripes]int
	for range goroutines {
		used[<-lanes]++
	}
	close(release)
	for i, n := range used {
		if n < goroutines/stripes/4 || n > goroutines/stripes*4 {
			t.Errorf("stripe %d is used by %d of %d goroutines: %v", i, n, goroutines, used)
		}
	}
}
