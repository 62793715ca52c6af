package interceptor

import (
	"math"
	"sort"
	"time"
)

// Histogram is a latency histogram: plain data, to be replaced as a whole.
//
// Its buckets are at most 16.7 % wide and reach from 100 ns to 100 s; the last one holds what took longer. The
// bounds are decimal: they contain those of Prometheus' default buckets, of gRFC A66 and of OpenTelemetry.
type Histogram struct {
	// Counts by bucket; see BucketBound. Nil when nothing was observed.
	Counts []uint64
	// Sum of all observations, exact.
	Sum time.Duration
}

// BucketBound returns the inclusive upper bound of element i of Histogram.Counts. The last bucket has none: its bound
// is the longest Duration there is.
func BucketBound(i int) time.Duration {
	if i < 0 || i >= bounded {
		return math.MaxInt64
	}
	return time.Duration(bounds[i])
}

// Count returns the number of observations, exact.
func (h Histogram) Count() (n uint64) {
	for _, c := range h.Counts {
		n += c
	}
	return n
}

// Mean returns the exact mean of all observations, 0 if there are none.
func (h Histogram) Mean() time.Duration {
	n := h.Count()
	if n == 0 {
		return 0
	}
	return h.Sum / time.Duration(n)
}

// Quantile returns the duration below which the share q of the observations lies, such as 0.99; 0 if there are none.
// It interpolates inside one bucket, so it is off by less than 16.7 %. What took longer than 100 s counts as 100 s.
func (h Histogram) Quantile(q float64) time.Duration {
	n := h.Count()
	if n == 0 {
		return 0
	}
	return quantile(h.Counts, n, q)
}

// quantile is Quantile over counts that add up to total, which is not 0.
func quantile(counts []uint64, total uint64, q float64) time.Duration {
	rank := max(1, uint64(math.Ceil(min(max(q, 0), 1)*float64(total))))
	for i, n := range counts {
		if rank > n {
			rank -= n
			continue
		}
		if i >= bounded {
			break
		}
		low := int64(0)
		if i > 0 {
			low = bounds[i-1]
		}
		return time.Duration(low + int64(float64(rank)/float64(n)*float64(bounds[i]-low)))
	}
	return time.Duration(bounds[bounded-1])
}

// Cumulative converts the histogram to classic buckets: element i is the number of observations of at most
// upper[i] seconds, as Prometheus' le means it. The bounds must be sorted. Count and Sum complete the conversion.
//
// A bound that is one of ours (every BucketBound, hence the defaults of Prometheus, gRFC A66 and OpenTelemetry) is
// counted exactly. Another one is moved to the nearest of ours, so that observations within 8.4 % of it may be counted
// on its other side. Bounds above 100 s count all that is known to be shorter: up to 100 s.
// Successive results for the same bounds never decrease when the histogram does not.
func (h Histogram) Cumulative(upper []float64) []uint64 {
	counts := make([]uint64, len(upper))
	var sum uint64
	next := 0
	for i, bound := range upper {
		for last := nearestBound(bound); next <= last && next < len(h.Counts); next++ {
			sum += h.Counts[next]
		}
		counts[i] = sum
	}
	return counts
}

// nearestBound returns the index of the bucket whose bound is nearest to that many seconds, -1 if that is zero.
func nearestBound(seconds float64) int {
	ns := seconds * float64(time.Second)
	i := sort.Search(bounded, func(i int) bool { return float64(bounds[i]) >= ns })
	if i == bounded {
		return bounded - 1
	}
	low := 0.0
	if i > 0 {
		low = float64(bounds[i-1])
	}
	if ns-low < float64(bounds[i])-ns {
		return i - 1
	}
	return i
}
