package interceptor

import (
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
)

// method holds what is known about one method. Calls only read it, but for its stripes, and so all cores can keep it
// in their caches; it is written when a stripe is touched for the first time and once per slot of the window.
type method struct {
	service, name string
	typ           CallType
	// registered methods are to blame when they answer Unimplemented. Never changes.
	registered bool
	// hidden methods stay out of snapshots until they are called.
	hidden bool

	// next is when the present slot ends, since the recorder's birth in nanoseconds. Written under turning, read by
	// every call that ends. A call that reads an old value finds out under the lock.
	next atomic.Int64
	// stripes, failures and hasty are filled by the first call that needs each of them, and never change afterwards.
	stripes       [maxStripes]atomic.Pointer[callStripe]
	failures      [maxStripes]atomic.Pointer[failStripe]
	shortDeadline atomic.Pointer[shortDeadlineCalls]
	// exemplars is nil for ever without Config.Exemplar.
	exemplars atomic.Pointer[exemplars]

	// turning guards window. Calls only ever try it: a reader never makes a call wait.
	turning sync.Mutex
	window  window
}

// call is one admitted call, from begin to exactly one of finish, fail or abandon.
type call struct {
	method *method
	stripe *callStripe
	lane   uint32
	start  time.Duration
}

// begin counts a call as started.
func (m *method) begin(lane uint32, now time.Duration) call {
	s := m.stripes[lane%maxStripes].Load()
	if s == nil {
		s = loadOrStore(&m.stripes[lane%maxStripes])
	}
	s.started.Add(1)
	return call{method: m, stripe: s, lane: lane, start: now}
}

// loadOrStore fills an empty place and returns what is in it afterwards, by whomever.
func loadOrStore[T any](place *atomic.Pointer[T]) *T {
	if place.Load() == nil {
		place.CompareAndSwap(nil, new(T))
	}
	return place.Load()
}

// finish settles a call that ended with OK.
func (c call) finish(now time.Duration) {
	if int64(now) >= c.method.next.Load() {
		c.method.rotate(now)
	}
	c.stripe.observe(now - c.start)
}

// record settles a call that ended with o.
func (c call) record(o outcome, now time.Duration) {
	if o.code == codes.OK {
		c.finish(now)
		return
	}
	if int64(now) >= c.method.next.Load() {
		c.method.rotate(now)
	}
	if o.shortDeadline {
		loadOrStore(&c.method.shortDeadline).observe(now - c.start)
		return
	}
	f := c.method.failures[c.lane%maxStripes].Load()
	if f == nil {
		f = loadOrStore(&c.method.failures[c.lane%maxStripes])
	}
	f.observe(o, now-c.start)
}

// abandon settles a call whose handler did not return: it panicked, or ended its goroutine.
func (c call) abandon(panicked bool, now time.Duration) {
	c.record(outcome{code: codes.Internal, panicked: panicked}, now)
}
