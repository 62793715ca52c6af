package interceptor

import (
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
)

// method holds the counters of one method. Calls write its stripes only, so that all cores can keep it in their
// caches; it is written once for each stripe and once in each slot of the window.
type method struct {
	service, name string
	typ           CallType
	// registered says that Unimplemented is a failure.
	registered bool
	// hidden says that snapshots omit the method until it is called.
	hidden bool

	// slotEnd is when the current slot of the window ends, in nanoseconds since the Recorder was created. Written under
	// rotating, read by every call that ends; a call that reads an old value notices under the lock.
	slotEnd atomic.Int64
	// stripes, failures and shortDeadline are allocated by the first call that needs each, and stay. Calls with a short
	// deadline are so rare that they share one.
	stripes       [maxStripes]atomic.Pointer[callStripe]
	failures      [maxStripes]atomic.Pointer[failStripe]
	shortDeadline atomic.Pointer[failStripe]
	// exemplars is nil without Config.Exemplar.
	exemplars atomic.Pointer[exemplars]

	// rotating guards window. Calls only try to lock it, so that readers never block them.
	rotating sync.Mutex
	window   window
}

// call is a call in flight, from begin to exactly one of finish and record.
type call struct {
	method *method
	stripe *callStripe
	index  uint32 // of stripe
	start  time.Duration
}

// begin counts a call as started, in the stripe at index.
func (m *method) begin(index uint32, now time.Duration) call {
	s := m.stripes[index%maxStripes].Load()
	if s == nil {
		s = loadOrStore(&m.stripes[index%maxStripes])
	}
	s.started.Add(1)
	return call{method: m, stripe: s, index: index, start: now}
}

// loadOrStore returns the value of place, allocating it if there is none.
func loadOrStore[T any](place *atomic.Pointer[T]) *T {
	if place.Load() == nil {
		place.CompareAndSwap(nil, new(T))
	}
	return place.Load()
}

// finish records a call that ended with OK.
func (c *call) finish(now time.Duration) {
	if int64(now) >= c.method.slotEnd.Load() {
		c.method.rotate(now)
	}
	c.stripe.observe(now - c.start)
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
	place := &c.method.failures[c.index%maxStripes]
	if o.shortDeadline {
		place = &c.method.shortDeadline
	}
	loadOrStore(place).observe(o, now-c.start)
}
