package interceptor

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/internal/stripe"
)

// method holds the counters of one method. Calls write its stripes only, so that all cores can keep it in their
// caches; it is written once for each stripe and once in each slot of the window.
type method struct {
	service, name string
	typ           CallType
	// registered says that Unimplemented is a failure.
	registered bool

	// slotEnd is when the current slot of the window ends, in nanoseconds since the Recorder was created. Written under
	// rotating, read by every call twice; a call that reads an old value notices under the lock.
	slotEnd atomic.Int64
	// stripes, failures and shortDeadline are allocated by the first call that needs each, and stay. Calls with a short
	// deadline are so rare that they share one.
	stripes       [stripe.Most]atomic.Pointer[callStripe]
	failures      [stripe.Most]atomic.Pointer[failStripe]
	shortDeadline atomic.Pointer[failStripe]
	// firsts holds when the first call began, for OK, and when the first one ended with each other code, in nanoseconds since
	// the Recorder was created and one more. Written by those calls, read by snapshots.
	firsts [NumCodes]atomic.Int64
	// exemplars is nil without Config.Exemplar.
	exemplars atomic.Pointer[exemplars]

	// rotating guards slots. Calls only try to lock it, so that readers never block them.
	rotating sync.Mutex
	// slots holds slot n of the window in element n % windowSlots. A slot in which no call ended has no entry; its
	// beginning is that of the next one that has.
	slots [windowSlots]*slot
	side  *side
}

// call is a call in flight, from begin to exactly one of finish and record.
type call struct {
	method *method
	stripe *callStripe
	index  uint32 // of stripe
	done   bool   // recorded, or not to be
	start  time.Duration
}

// begin counts a call of m as started, in the stripe at index.
func (c *call) begin(ctx context.Context, m *method, index uint32, now time.Duration) {
	if int64(now) >= m.slotEnd.Load() {
		m.beginSlot(ctx)
	}
	place := &m.stripes[index%stripe.Most]
	s := place.Load()
	if s == nil {
		s = loadOrStore(place)
		m.firsts[codes.OK].CompareAndSwap(0, int64(now)+1)
	}
	s.started.Add(1)
	c.method, c.stripe, c.index, c.start = m, s, index, now
}

// beginSlot is called by the first calls of a slot.
func (m *method) beginSlot(ctx context.Context) {
	m.side.activity.notify()
	if m.typ != Other && !m.side.behindHTTP.Load() && ctx.Value(http.ServerContextKey) != nil {
		m.side.behindHTTP.Store(true)
	}
}

// loadOrStore returns the value of place, allocating it if there is none. Calls look first, because it is not inlined.
func loadOrStore[T any](place *atomic.Pointer[T]) *T {
	if value := place.Load(); value != nil {
		return value
	}
	place.CompareAndSwap(nil, new(T))
	return place.Load()
}

// finish records a call that ended with OK.
func (c *call) finish(now time.Duration) {
	if int64(now) >= c.method.slotEnd.Load() {
		c.method.rotate(now)
	}
	latency := now - c.start
	c.stripe.sum.Add(int64(latency))
	c.stripe.latency[bucketOf(latency)].Add(1)
}

// record records a call that ended with o.
func (c *call) record(o outcome, now time.Duration) {
	if o.code == codes.OK {
		c.finish(now)
		return
	}
	if int64(now) >= c.method.slotEnd.Load() {
		c.method.rotate(now)
	}
	place := &c.method.failures[c.index%stripe.Most]
	if o.shortDeadline {
		place = &c.method.shortDeadline
	}
	f := place.Load()
	if f == nil {
		f = loadOrStore(place)
	}
	counters := f.codes[o.code].Load()
	if counters == nil {
		counters = loadOrStore(&f.codes[o.code])
		c.method.firsts[o.code].CompareAndSwap(0, int64(now)+1)
	}
	if o.panicked {
		f.panicked.Add(1)
	}
	latency := now - c.start
	bucket := bucketOf(latency)
	f.latency[bucket].Add(1)
	counters.sum.Add(int64(latency))
	counters.counts[codeBucket[bucket]].Add(1)
}

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

// codeCounters count the calls of a stripe that ended with one code. They fill a pair of cache lines.
type codeCounters struct {
	counts [len(codeBounds) + 1]atomic.Uint64
	sum    atomic.Int64
}

// count adds a message to messages unless err says that there was none.
func count(messages *atomic.Uint64, err error) error {
	if err == nil {
		messages.Add(1)
	}
	return err
}
