package interceptor

import (
	"math"
	"math/bits"
	"slices"
	"sort"
	"time"

	"google.golang.org/grpc/codes"
)

// Histogram is a latency histogram. Its buckets are at most 16.7 % wide and reach from 100 ns to 100 s; the last one
// holds what took longer. The bounds contain those of Prometheus' default buckets, of gRFC A66 and of OpenTelemetry's
// HTTP and RPC conventions, so that a conversion to those buckets is exact.
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

// Cumulative converts the histogram to classic buckets: element i is the number of observations of at most upper[i]
// seconds, as Prometheus' le. The bounds must be sorted. Those that equal no BucketBound move to the nearest one, by
// 8.4 % at most, and those above 100 s to 100 s. Results for the same bounds never decrease.
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

// quantile returns the latency that the share q of counts does not exceed, interpolated inside a bucket. Counts add up
// to total, which is not 0. Observations above 100 s count as 100 s.
func quantile(counts []uint64, total uint64, q float64) time.Duration {
	rank := max(1, uint64(math.Ceil(min(max(q, 0), 1)*float64(total))))
	for i, n := range counts[:bounded] {
		if rank > n {
			rank -= n
			continue
		}
		low := int64(0)
		if i > 0 {
			low = bounds[i-1]
		}
		return time.Duration(low + int64(float64(rank)/float64(n)*float64(bounds[i]-low)))
	}
	return time.Duration(bounds[bounded-1])
}

// codeBounds are the bounds that CodeBounds returns. Read-only.
var codeBounds = [...]float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}

// CodeBounds returns the inclusive upper bounds of CodeLatency.Counts, in seconds: those of OpenTelemetry's conventions
// for RPC durations. Each is also a BucketBound. The caller may change the result.
func CodeBounds() []float64 { return slices.Clone(codeBounds[:]) }

// CodeLatency is the latency of the calls that ended with one code, in fewer buckets than Histogram.
type CodeLatency struct {
	// Counts by bucket: element i those of at most CodeBounds()[i] and of more than the bound before, the last element
	// the longer ones. Their total is Stats.ByCode of the code. Nil if it is 0. Read-only.
	Counts []uint64
	// Sum of all observations, exact.
	Sum time.Duration
}

// LatencyOf returns the latency of the calls that ended with code, of a method of a Snapshot. Successive results never
// decrease.
func (m *Method) LatencyOf(code codes.Code) (l CodeLatency) {
	switch {
	case m.Total.ByCode(code) == 0:
	case m.byCode != nil:
		l = m.byCode[code]
	case code == codes.OK:
		for i, n := range m.Total.Latency.Counts {
			l.count(int(codeBucket[i]), n)
		}
		l.Sum = m.Total.Latency.Sum
	}
	return l
}

// count adds n observations to a bucket.
func (l *CodeLatency) count(bucket int, n uint64) {
	if n == 0 {
		return
	}
	if l.Counts == nil {
		l.Counts = make([]uint64, len(codeBounds)+1)
	}
	l.Counts[bucket] += n
}

// steps are the bucket bounds of each decade from 100 ns to 100 s, in units of 1/20.
var steps = [...]int64{20, 23, 26, 29, 32, 36, 40, 45, 50, 55, 60, 70, 80, 90, 100, 110, 120, 130, 140, 150, 160, 180}

const (
	stepUnit = 20
	decades  = 9
	// minBound is the bound of the first bucket in nanoseconds.
	minBound = 100
	// bounded is the number of buckets with an upper bound; one more holds what is longer than 100 s.
	bounded = len(steps)*decades + 1
	// buckets is the length of Histogram.Counts.
	buckets = bounded + 1

	// A bin is a sixteenth of an octave, at most 6.25 % wide, so that it contains at most one bound.
	binBits = 4
	minBin  = 6 // 64 ns; all below is in the first bucket
	maxBin  = 37
	bins    = (maxBin - minBin) << binBits
)

// bounds holds the inclusive upper bound of each bucket in nanoseconds. Beyond bounded, it holds the greatest number,
// so that an index of 8 bits needs no bounds check. Read-only.
var bounds = func() (table [256]int64) {
	for i := range table {
		table[i] = math.MaxInt64
	}
	scale := int64(minBound)
	for decade := range decades {
		for i, step := range steps {
			table[decade*len(steps)+i] = step * scale / stepUnit
		}
		scale *= 10
	}
	table[bounded-1] = scale
	return table
}()

// firstBucket holds, for each bin, the bucket of its smallest duration. Read-only.
var firstBucket = func() (table [bins]uint8) {
	bucket := 0
	for bin := range table {
		low := int64(1<<binBits|bin&(1<<binBits-1)) << (minBin + bin>>binBits - binBits)
		for bounds[bucket] < low {
			bucket++
		}
		table[bin] = uint8(bucket)
	}
	return table
}()

// bucketOf returns the index of the bucket of d: the first one with a bound not below d.
func bucketOf(d time.Duration) int {
	ns := uint64(max(d, 1<<minBin))
	exponent := bits.Len64(ns) - 1
	bin := uint(exponent-minBin)<<binBits | uint(ns>>(uint(exponent-binBits)&63))&(1<<binBits-1)
	if bin >= bins {
		return bounded
	}
	bucket := firstBucket[bin]
	if int64(ns) > bounds[bucket] {
		bucket++
	}
	return int(bucket)
}

// codeBucket maps an index of Histogram.Counts to one of CodeLatency.Counts. Read-only.
var codeBucket = func() (table [buckets]uint8) {
	for i := range table {
		for table[i] < uint8(len(codeBounds)) && float64(bounds[i]) > codeBounds[table[i]]*float64(time.Second) {
			table[i]++
		}
	}
	return table
}()
