package interceptor

import "time"

// windowSlots is the number of slots in Config.Window.
const windowSlots = 12

// window keeps the state of a method's counters at the beginning of each slot. What has happened since is the
// difference to the current state: calls write nothing here, except the first one that ends in a slot.
type window struct {
	width time.Duration // of a slot
	// slots holds slot n in element n % windowSlots. A slot in which no call ended has no entry; its beginning is that
	// of the next one that has.
	slots [windowSlots]*slot
}

// slot is the state of a method's counters at the beginning of slot number.
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
	number := int64(now / m.window.width)
	place := &m.window.slots[number%windowSlots]
	if *place == nil {
		*place = new(slot)
	}
	(*place).fill(m, number)
	m.slotEnd.Store((number + 1) * int64(m.window.width))
}

// fill makes s the current state of m.
func (s *slot) fill(m *method, number int64) {
	var t totals
	t.read(m)
	s.number, s.requests, s.failures, s.saturated = number, t.handled(), t.failures(m.registered), t.saturated()
	s.sum = t.okSum + t.failed.sum
	for i, n := range &t.okLatency {
		s.latency[i] = uint32(n + t.failed.latency[i])
	}
}

// since returns the state at the beginning of slot first, nil if no call has ended from then on. The caller holds
// rotating.
func (w *window) since(first int64) (oldest *slot) {
	for _, s := range w.slots {
		if s != nil && s.number >= first && (oldest == nil || s.number < oldest.number) {
			oldest = s
		}
	}
	return oldest
}

// recent is what happened within the window.
type recent struct {
	requests, failures, saturated, samples uint64
	sum                                    time.Duration
	latency                                [buckets]uint64
}

// add adds what happened to m since the beginning of slot first. The caller holds rotating and has read t since, so
// that no slot is younger than t.
func (r *recent) add(m *method, t *totals, first int64) {
	old := m.window.since(first)
	if old == nil {
		return
	}
	r.requests += t.handled() - old.requests
	r.failures += t.failures(m.registered) - old.failures
	r.saturated += t.saturated() - old.saturated
	if m.typ != Unary && m.typ != Other { // streams last as long as they like
		return
	}
	r.sum += t.okSum + t.failed.sum - old.sum
	for i, n := range &t.okLatency {
		n = uint64(uint32(n+t.failed.latency[i]) - old.latency[i])
		r.latency[i] += n
		r.samples += n
	}
}

// window returns r as a Window of span.
func (r *recent) window(span time.Duration) Window {
	w := Window{
		Span: span, Requests: r.requests, Failures: r.failures, Saturated: r.saturated, LatencySamples: r.samples,
	}
	if r.samples > 0 {
		w.Mean = r.sum / time.Duration(r.samples)
		w.P50 = quantile(r.latency[:], r.samples, 0.50)
		w.P90 = quantile(r.latency[:], r.samples, 0.90)
		w.P99 = quantile(r.latency[:], r.samples, 0.99)
	}
	return w
}
