package interceptor_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/vitals-go/vitals/interceptor"
)

// exported bucket bounds, in seconds, that conversions must be exact for.
var usualBounds = [][]float64{
	// Prometheus' defaults.
	{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	// gRFC A66, but for its first bound, zero.
	{
		.00001, .00005, .0001, .0003, .0006, .0008, .001, .002, .003, .004, .005, .006, .008, .01, .013, .016, .02,
		.025, .03, .04, .05, .065, .08, .1, .13, .16, .2, .25, .3, .4, .5, .65, .8, 1, 2, 5, 10, 20, 50, 100,
	},
	// OpenTelemetry's conventions.
	{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10},
}

func bucketsLen() int {
	n := 0
	for interceptor.BucketBound(n) != math.MaxInt64 {
		n++
	}
	return n + 1
}

// of makes the histogram of the given durations by the documented rule, one bucket after the other.
func of(durations ...time.Duration) interceptor.Histogram {
	h := interceptor.Histogram{Counts: make([]uint64, bucketsLen())}
	for _, d := range durations {
		i := 0
		for d > interceptor.BucketBound(i) {
			i++
		}
		h.Counts[i]++
		h.Sum += d
	}
	return h
}

func TestBucketsAreSortedNarrowAndWide(t *testing.T) {
	n := bucketsLen()
	if first := interceptor.BucketBound(0); first != 100*time.Nanosecond {
		t.Errorf("first bound %v, want 100ns", first)
	}
	if last := interceptor.BucketBound(n - 2); last != 100*time.Second {
		t.Errorf("last bound %v, want 100s", last)
	}
	for i := 1; i < n-1; i++ {
		low, high := interceptor.BucketBound(i-1), interceptor.BucketBound(i)
		if high <= low || float64(high) > 1.167*float64(low) {
			t.Errorf("bucket %d is (%v, %v], want at most 16.7 %% wide", i, low, high)
		}
	}
	if interceptor.BucketBound(-1) != math.MaxInt64 {
		t.Error("a bucket before the first has a bound")
	}
}

func TestConversionIsExactAtTheUsualBounds(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, bounds := range usualBounds {
		var durations []time.Duration
		for _, b := range bounds {
			at := time.Duration(math.Round(b * 1e9))
			durations = append(durations, at-1, at, at+1)
		}
		for range 2000 {
			durations = append(durations, time.Duration(math.Exp(random.Float64()*28)))
		}
		got := of(durations...).Cumulative(bounds)
		for i, b := range bounds {
			want := uint64(0)
			for _, d := range durations {
				if d <= time.Duration(math.Round(b*1e9)) {
					want++
				}
			}
			if got[i] != want {
				t.Errorf("at most %v s: %d, want %d", b, got[i], want)
			}
		}
	}
}

func TestConversionAtOtherBounds(t *testing.T) {
	h := of(time.Millisecond, 10*time.Millisecond, 200*time.Second)
	got := h.Cumulative([]float64{-1, 0, .0009, .0011, .00999, .0104, 300})
	if want := []uint64{0, 0, 0, 1, 2, 2, 2}; !slices.Equal(got, want) {
		t.Errorf("cumulative %v, want %v", got, want)
	}
	if h.Count() != 3 {
		t.Errorf("count %d, want 3", h.Count())
	}
	if got := (interceptor.Histogram{}).Cumulative([]float64{1, 2}); !slices.Equal(got, []uint64{0, 0}) {
		t.Errorf("empty histogram: %v", got)
	}
}

func TestEmptyHistogramHasNoObservations(t *testing.T) {
	var empty interceptor.Histogram
	if empty.Count() != 0 {
		t.Errorf("count %d, want 0", empty.Count())
	}
}

func FuzzCumulative(f *testing.F) {
	f.Add(int64(1), .1, .2)
	f.Add(int64(time.Second), 1.0, 100.0)
	f.Fuzz(func(t *testing.T, ns int64, a, b float64) {
		if ns < 0 || math.IsNaN(a) || math.IsNaN(b) {
			return
		}
		low, high := min(a, b), max(a, b)
		got := of(time.Duration(ns)).Cumulative([]float64{low, high})
		if got[0] > got[1] || got[1] > 1 {
			t.Fatalf("cumulative at %v, %v = %v", low, high, got)
		}
		if seconds := float64(ns) / 1e9; ns <= int64(100*time.Second) && ns > 100 {
			if seconds > high*1.084 && got[1] != 0 || seconds < low*0.916 && got[0] != 1 {
				t.Fatalf("%v s counted as %v at %v, %v", seconds, got, low, high)
			}
		}
	})
}
