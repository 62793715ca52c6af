package interceptor

import (
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
)

// codeBounds are the inclusive upper bounds of CodeLatency.Counts, in seconds. Each is also a bound of Histogram. Never
// written after initialisation.
var codeBounds = [...]float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}

// CodeBounds returns the inclusive upper bounds of CodeLatency.Counts, in seconds: those of OpenTelemetry's conventions
// for RPC durations. Each is also a BucketBound. The result is the caller's own.
func CodeBounds() []float64 { return slices.Clone(codeBounds[:]) }

// CodeLatency is the latency of the calls that ended with one code. It has fewer buckets than Histogram, because there
// is one for each code.
type CodeLatency struct {
	// Counts by bucket: element i those of at most CodeBounds()[i] and of more than the bound before, the last element
	// the longer ones. They add up to Stats.ByCode of the code. Nil when no call ended with it.
	Counts []uint64
	// Sum of all observations, exact.
	Sum time.Duration
}

// codeLatency is a CodeLatency in one piece.
type codeLatency struct {
	counts [len(codeBounds) + 1]uint64
	sum    time.Duration
}

// LatencyOf returns the latency of the calls that ended with code, of a method in a Snapshot. Successive results never
// decrease. Its Counts may be shared and must not be changed.
func (m *Method) LatencyOf(code codes.Code) CodeLatency {
	switch {
	case m.Total.ByCode(code) == 0, m.byCode == nil && code != codes.OK:
		return CodeLatency{}
	case m.byCode != nil:
		l := &m.byCode[code]
		return CodeLatency{Counts: l.counts[:], Sum: l.sum}
	}
	l := CodeLatency{Counts: make([]uint64, len(codeBounds)+1), Sum: m.Total.Latency.Sum}
	for i, n := range m.Total.Latency.Counts {
		l.Counts[codeBucket[i]] += n
	}
	return l
}

// codeBucket maps an index of Histogram.Counts to one of CodeLatency.Counts. Never written after initialisation.
var codeBucket = func() (table [buckets]uint8) {
	for i := range table {
		for table[i] < uint8(len(codeBounds)) && float64(bounds[i]) > codeBounds[table[i]]*float64(time.Second) {
			table[i]++
		}
	}
	return table
}()

// codeTimes counts a stripe's calls that ended with one code. It is allocated by the first of them, and fills a pair of
// cache lines.
type codeTimes struct {
	// counts is added to after sum, and read before it: their total is the number of calls.
	counts [len(codeBounds) + 1]atomic.Uint64
	sum    atomic.Int64
}

// read returns what c has counted.
func (c *codeTimes) read() (l codeLatency) {
	for i := range c.counts {
		l.counts[i] = c.counts[i].Load()
	}
	l.sum = time.Duration(c.sum.Load())
	return l
}

// split is the part of a tally that tells codes apart. It stays as it is for a method whose calls have all ended with
// OK, which is the usual one and costs nothing.
type split struct {
	byCode [NumCodes]codeLatency
	// failed are the latencies of the calls that did not end with OK, but the excused ones.
	failed [buckets]uint64
	// mixed says that there are places for calls that did not end with OK, and so that s is not empty.
	mixed bool
}

// fillOK adds the calls that ended with OK: what is in t and nowhere here. Call it once, when t is complete.
func (s *split) fillOK(t *totals) {
	ok := codeLatency{sum: time.Duration(t.timedSum + t.shortSum)}
	for i, n := range t.timed {
		ok.counts[codeBucket[i]] += n - s.failed[i]
	}
	for i := range s.byCode {
		ok.sum -= s.byCode[i].sum
	}
	s.byCode[codes.OK] = ok
}

// clear makes s as new.
func (s *split) clear() { *s = split{} }

// add adds other calls that ended with code, which is not OK.
func (s *split) add(code codes.Code, other *codeLatency) {
	l := &s.byCode[code]
	for i, n := range other.counts {
		l.counts[i] += n
	}
	l.sum += other.sum
}

// addShortDeadline adds the excused calls of t.
func (s *split) addShortDeadline(t *totals) {
	l := codeLatency{sum: time.Duration(t.shortSum)}
	for i, n := range t.shortLatency {
		l.counts[codeBucket[i]] += n
	}
	s.mixed = true
	s.add(codes.DeadlineExceeded, &l)
}
