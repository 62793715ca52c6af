package interceptor

import (
	"math"
	"sort"
	"time"
)

// Histogram is a latency histogram. Its buckets are at most 16.7 % wide and reach from 100 ns to 100 s; the last one
// holds what took longer. The bounds contain those of Prometheus' default buckets, of gRFC A66 and of OpenTelemetry.
type Histogram struct {
	// Counts by bucket; see BucketBound. Nil if there are no observations.
	Counts []uint64
	// Sum of all observations, exact.
	Sum time.Duration
}

// BucketBound returns the inclusive upper bound of element i of Histogram.Counts, the greatest Duration for the last.
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

// quantile returns the latency that the share q of counts does not exceed, interpolated inside a bucket: the error is
// less than 16.7 %. Counts add up to total, which is not 0. Observations above 100 s count as 100 s.
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

// Cumulative converts the histogram to classic buckets: element i is the number of observations of at most upper[i]
// seconds, as Prometheus' le. The bounds must be sorted. They are exact where they equal a BucketBound, as the defaults
// of Prometheus, gRFC A66 and OpenTelemetry do. Others move to the nearest one, by 8.4 % at most, those above 100 s to
// 100 s. Results for the same bounds never decrease.
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

// nearestBound returns the index of the bound that is nearest to that many seconds, -1 if that is 0.
func nearestBound(seconds float64) int {
	ns := seconds * float64(time.Second)
	if ns < float64(bounds[0])/2 {
		return -1
	}
	return sort.Search(bounded-1, func(i int) bool { return float64(bounds[i]+bounds[i+1])/2 > ns })
}
