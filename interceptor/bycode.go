package interceptor

import (
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
)

// codeBounds are the bounds that CodeBounds returns. Each is also a bound of Histogram. Read-only.
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
func (m *Method) LatencyOf(code codes.Code) CodeLatency {
	switch {
	case m.Total.ByCode(code) == 0, m.byCode == nil && code != codes.OK:
		return CodeLatency{}
	case m.byCode != nil:
		return CodeLatency{Counts: m.byCode[code].counts[:], Sum: m.byCode[code].sum}
	}
	var l codeLatency
	l.add((*[buckets]uint64)(m.Total.Latency.Counts), m.Total.Latency.Sum)
	return CodeLatency{Counts: l.counts[:], Sum: l.sum}
}

// codeLatency is a CodeLatency in one piece.
type codeLatency struct {
	counts [len(codeBounds) + 1]uint64
	sum    time.Duration
}

// add adds a histogram of finer buckets.
func (l *codeLatency) add(latency *[buckets]uint64, sum time.Duration) {
	for i, n := range latency {
		l.counts[codeBucket[i]] += n
	}
	l.sum += sum
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

// codeCounters count the calls of a stripe that ended with one code. They fill a pair of cache lines.
type codeCounters struct {
	counts [len(codeBounds) + 1]atomic.Uint64
	sum    atomic.Int64
}
