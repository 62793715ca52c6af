package interceptor

import (
	"time"

	"google.golang.org/grpc/codes"
)

// windowSlots is the number of slots in Config.Window.
const windowSlots = 12

// slot is the state of a method's counters at the beginning of slot number. What has happened since is the difference
// to the current state: calls write nothing here, except the first one that ends in a slot.
type slot struct {
	number    int64
	requests  uint64
	failures  uint64
	saturated uint64
	sum       time.Duration
	// latency holds the lower half of each count, enough for a difference.
	latency [buckets]uint32
}

// rotate stores the slot that contains now, unless it exists: about 1 µs, once for each slot and method, in the first
// call that ends in it. Concurrent calls continue; one that ends at that moment may count in the slot before.
func (m *method) rotate(now time.Duration) {
	if !m.rotating.TryLock() {
		return
	}
	defer m.rotating.Unlock()
	if int64(now) < m.slotEnd.Load() {
		return
	}
	m.side.activity.notify()
	number := int64(now / m.side.slotWidth)
	place := &m.slots[number%windowSlots]
	if *place == nil {
		*place = new(slot)
	}
	var t totals
	t.read(m, false)
	(*place).fill(&t, number)
	m.slotEnd.Store((number + 1) * int64(m.side.slotWidth))
}

// fill makes s the state t, at the beginning of slot number.
func (s *slot) fill(t *totals, number int64) {
	s.number, s.requests, s.failures, s.saturated = number, t.handled, t.failures, t.codes[codes.ResourceExhausted]
	s.sum = t.latency.sum - t.short.sum
	for i, n := range &t.latency.counts {
		s.latency[i] = uint32(n - t.short.counts[i])
	}
}

// since returns the state at the beginning of slot first, nil if no call has ended from then on. The caller holds
// rotating.
func (m *method) since(first int64) (oldest *slot) {
	for _, s := range m.slots {
		if s != nil && s.number >= first && (oldest == nil || s.number < oldest.number) {
			oldest = s
		}
	}
	return oldest
}

// recent is what happened within the window.
type recent struct {
	Window  // without Span, Mean and quantiles
	sum     time.Duration
	latency [buckets]uint64
}

// add adds what happened to m since the beginning of slot first. The caller holds rotating and has read t since, so
// that no slot is younger than t.
func (r *recent) add(m *method, t *totals, first int64) {
	old := m.since(first)
	if old == nil {
		return
	}
	r.Requests += t.handled - old.requests
	r.Failures += t.failures - old.failures
	r.ResourceExhausted += t.codes[codes.ResourceExhausted] - old.saturated
	if m.typ != Unary && m.typ != Other { // streams last as long as they like
		return
	}
	r.sum += t.latency.sum - t.short.sum - old.sum
	for i, n := range &t.latency.counts {
		n = uint64(uint32(n-t.short.counts[i]) - old.latency[i])
		r.latency[i] += n
		r.LatencySamples += n
	}
}

// window returns r as a Window of span.
func (r *recent) window(span time.Duration) Window {
	r.Span = span
	if n := r.LatencySamples; n > 0 {
		r.Mean = r.sum / time.Duration(n)
		r.P50, r.P90, r.P99 = quantile(r.latency[:], n, 0.50), quantile(r.latency[:], n, 0.90), quantile(r.latency[:], n, 0.99)
	}
	return r.Window
}
