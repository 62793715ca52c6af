package interceptor

import (
	"math"
	"math/bits"
	"time"
)

// steps are the bucket bounds of each decade from 100 ns to 100 s, in units of 1/20. They are at most 16.7 % apart and
// contain the bounds of Prometheus' default buckets, of gRFC A66 and of OpenTelemetry's HTTP and RPC conventions, so
// that a conversion to those buckets is exact.
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
