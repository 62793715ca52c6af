package interceptor

import (
	"sync/atomic"
	"time"

	"github.com/vitals-go/vitals/internal/stripe"
)

// maxStripes is how many copies of its counters a method may have; see package lane.
const maxStripes = stripe.Most

// callStripe holds one share of a method's counters. All fields are added to by the calls that chose the stripe and only
// read by snapshots. It holds no pointers and fills whole pairs of cache lines, so that neighbours never share one.
type callStripe struct {
	// started is added to before the call runs, and so before the call's latency: a reader that loads latency first
	// and started last sees started ≥ handled.
	started  atomic.Uint64
	sum      atomic.Int64 // of latency, in nanoseconds
	received atomic.Uint64
	sent     atomic.Uint64
	// latency of the calls that ended with OK. Its total is their number: nothing else is written for a success.
	latency [buckets]atomic.Uint64
	_       [160]byte
}

// failStripe holds what a stripe counts of calls that did not end with OK. It is apart because most methods never
// fail everywhere.
type failStripe struct {
	// codes counts by code; nil until the code has come. Excused calls are not here but in shortDeadlineCalls, so that no
	// counter made from these ever falls.
	codes    [NumCodes]atomic.Pointer[codeTimes]
	panicked atomic.Uint64
	latency  [buckets]atomic.Uint64
	_        [48]byte
}

// shortDeadlineCalls holds the latency of a method's excused calls, apart because it says nothing about this server. They are
// so rare that one for all stripes is enough.
type shortDeadlineCalls struct {
	sum     atomic.Int64
	latency [buckets]atomic.Uint64
}

// observe counts a call that ended with OK.
func (s *callStripe) observe(d time.Duration) {
	s.sum.Add(int64(d))
	s.latency[bucketOf(d)].Add(1)
}

// observe counts a call that ended with o, which is neither OK nor excused.
func (f *failStripe) observe(o outcome, d time.Duration) {
	if o.panicked {
		f.panicked.Add(1)
	}
	times := f.codes[o.code].Load()
	if times == nil {
		times = loadOrStore(&f.codes[o.code])
	}
	bucket := bucketOf(d)
	f.latency[bucket].Add(1)
	times.sum.Add(int64(d))
	times.counts[codeBucket[bucket]].Add(1)
}

// observe counts an excused call.
func (h *shortDeadlineCalls) observe(d time.Duration) {
	h.sum.Add(int64(d))
	h.latency[bucketOf(d)].Add(1)
}
