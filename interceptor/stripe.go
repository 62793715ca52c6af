package interceptor

import (
	"sync/atomic"
	"time"

	"github.com/vitals-go/vitals/internal/stripe"
)

// maxStripes is how many copies of its counters a method may have; see package stripe.
const maxStripes = stripe.Most

// callStripe is one copy of a method's counters. Calls that chose it add, snapshots read. It holds no pointers and
// fills whole pairs of cache lines, so that neighbors never share one.
type callStripe struct {
	// started is added to before the call runs. A reader that loads latency first and started last sees started ≥
	// handled.
	started  atomic.Uint64
	sum      atomic.Int64 // of latency, in nanoseconds
	received atomic.Uint64
	sent     atomic.Uint64
	// latency of the calls that ended with OK. Its total is their number.
	latency [buckets]atomic.Uint64
	_       [160]byte
}

// failStripe holds the counters of calls that did not end with OK, apart because few methods need one per stripe.
type failStripe struct {
	// codes is nil for codes that have not occurred.
	codes    [NumCodes]atomic.Pointer[codeCounters]
	panicked atomic.Uint64
	latency  [buckets]atomic.Uint64
	_        [48]byte
}

// observe counts a call that ended with OK.
func (s *callStripe) observe(d time.Duration) {
	s.sum.Add(int64(d))
	s.latency[bucketOf(d)].Add(1)
}

// observe counts a call that ended with o, which is not OK.
func (f *failStripe) observe(o outcome, d time.Duration) {
	if o.panicked {
		f.panicked.Add(1)
	}
	counters := loadOrStore(&f.codes[o.code])
	bucket := bucketOf(d)
	f.latency[bucket].Add(1)
	counters.sum.Add(int64(d))
	counters.counts[codeBucket[bucket]].Add(1)
}

// countSent counts a sent message unless err says that it was not.
func (s *callStripe) countSent(err error) error {
	if err == nil {
		s.sent.Add(1)
	}
	return err
}

// countReceived counts a received message unless err says that there was none.
func (s *callStripe) countReceived(err error) error {
	if err == nil {
		s.received.Add(1)
	}
	return err
}
