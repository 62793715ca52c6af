package interceptor

import "time"

// Histogram is a log-linear latency histogram: plain data, to be replaced as a whole.
type Histogram struct {
	// Counts by bucket; see BucketBound.
	Counts []uint64
	// Sum of all observations.
	Sum time.Duration
}
