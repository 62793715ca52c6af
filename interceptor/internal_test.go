package interceptor

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"
)

// The table look-up must agree with the documented rule: the first bucket whose bound is not below the duration.
func TestBucketOfMatchesBounds(t *testing.T) {
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
	if size := unsafe.Sizeof(callStripe{}); size%128 != 0 || size > 1792 {
		t.Errorf("a stripe has %d bytes, want a multiple of 128, 1792 at most", size)
	}
	if size := unsafe.Sizeof(failStripe{}); size%128 != 0 || size > 1792 {
		t.Errorf("a failStripe has %d bytes, want a multiple of 128, 1792 at most", size)
	}
	if size := unsafe.Sizeof(slot{}); size > 896 {
		t.Errorf("a mark has %d bytes, want 896 at most", size)
	}
}

// A step of exemplars holds what is more than the bound of the step before and at most its own: 1, 2.5 and 5 of a decade.
func TestExemplarStepsAreThoseOfTheDecades(t *testing.T) {
	step := 0
	for decade := int64(minBound); step < exemplarSteps-1; decade *= 10 {
		for _, bound := range []int64{decade, decade * 5 / 2, decade * 5} {
			if step == exemplarSteps-1 {
				break
			}
			if got := int(exemplarStep[bucketOf(time.Duration(bound))]); got != step {
				t.Errorf("%v is in step %d, want %d", time.Duration(bound), got, step)
			}
			if got := int(exemplarStep[bucketOf(time.Duration(bound+1))]); got != step+1 {
				t.Errorf("%v is in step %d, want %d", time.Duration(bound+1), got, step+1)
			}
			step++
		}
	}
}

func TestQuantiles(t *testing.T) {
	var counts [buckets]uint64
	for i := range 1000 {
		counts[bucketOf(time.Duration(i+1)*time.Millisecond)]++
	}
	for q, want := range map[float64]time.Duration{
		0: time.Millisecond, 0.5: 500 * time.Millisecond, 0.9: 900 * time.Millisecond, 0.99: 990 * time.Millisecond,
		1: time.Second, -3: time.Millisecond, 7: time.Second,
	} {
		if got := quantile(counts[:], 1000, q); math.Abs(float64(got-want)) > 0.02*float64(want)+float64(time.Millisecond) {
			t.Errorf("quantile %v = %v, want about %v", q, got, want)
		}
	}
	var long [buckets]uint64
	long[bucketOf(time.Hour)]++
	if got := quantile(long[:], 1, 0.5); got != 100*time.Second {
		t.Errorf("beyond the last bound: %v, want 100s", got)
	}
}
