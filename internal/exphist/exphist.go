// Package exphist converts buckets of latencies to those of exponential (native) histograms.
package exphist

import (
	"math"
	"time"
)

// Scale is the scale, in Prometheus the schema: 8 buckets for each factor of 2, each 9.05 % wide. The recorder's buckets
// are up to 16.7 % wide, so that a finer scale would only add empty ones.
const Scale = 3

// Index returns the index n of the bucket (base^(n-1), base^n], in seconds, that holds the geometric middle of bucket i.
// Its upper bound is bound(i). The first bucket counts at its upper bound, the last one, whose bound is math.MaxInt64,
// just above its lower bound. The index grows with i.
func Index(i int, bound func(int) time.Duration) int {
	upper := bound(i).Seconds()
	middle := upper
	if i > 0 {
		lower := bound(i - 1).Seconds()
		middle = math.Sqrt(lower * upper)
		if bound(i) == math.MaxInt64 {
			middle = math.Nextafter(lower, upper)
		}
	}
	return int(math.Ceil(math.Log2(middle) * (1 << Scale)))
}
