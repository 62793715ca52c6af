package interceptor

import "time"

// window remembers what a method's counters were when each of the last slots began, so that what happened since is a
// difference. Nothing is reset and nothing is written while calls run, but for the first one that ends in a slot.
type window struct {
	slot time.Duration
	// marks holds the state at the beginning of slot k in element k % windowSlots. A slot in which no call ended has
	// no mark: its beginning is that of the next slot that has one.
	marks [windowSlots]*slot
}

// windowSlots is the number of slots that Config.Window is divided into.
const windowSlots = 12

// slot is the state of a method's counters at one moment.
type slot struct {
	slot      int64
	requests  uint64
	failures  uint64
	saturated uint64
	sum       int64
	// latency holds the lower half of each count: a difference over a minute fits in it.
	latency [buckets]uint32
}

// rotate writes the mark of the slot that now lies in, unless it is there: about 1 µs, once per slot and method, paid by
// the call that happens to be the first. Who comes while another one writes goes on at once; a call that ends in that
// moment may count for the slot before.
func (m *method) rotate(now time.Duration) {
	if !m.turning.TryLock() {
		return
	}
	defer m.turning.Unlock()
	if int64(now) < m.next.Load() {
		return
	}
	w := &m.window
	index := int64(now / w.slot)
	place := &w.marks[index%windowSlots]
	if *place == nil {
		*place = new(slot)
	}
	(*place).fill(m, index)
	m.next.Store((index + 1) * int64(w.slot))
}

// fill makes k the mark of the counters as they are.
func (k *slot) fill(m *method, slot int64) {
	var t totals
	t.add(m)
	k.slot = slot
	k.requests, k.failures, k.saturated = t.handled(), t.failures(m.registered), t.saturated()
	k.sum = t.timedSum
	for i, n := range &t.timed {
		k.latency[i] = uint32(n)
	}
}

// since returns the state at the beginning of slot first, nil if no call has ended from there on. The caller holds
// the method's turning.
func (w *window) since(first int64) (oldest *slot) {
	for _, k := range w.marks {
		if k != nil && k.slot >= first && (oldest == nil || k.slot < oldest.slot) {
			oldest = k
		}
	}
	return oldest
}

// recent is what happened within the window.
type recent struct {
	requests, failures, saturated, timed uint64
	sum                                  int64
	latency                              [buckets]uint64
}

// add adds what happened to m since the beginning of slot first; t is m's present state. The caller holds the
// method's turning since before t was made, so that no mark is younger than t.
func (r *recent) add(m *method, t *totals, first int64) {
	old := m.window.since(first)
	if old == nil {
		return
	}
	r.requests += t.handled() - old.requests
	r.failures += t.failures(m.registered) - old.failures
	r.saturated += t.saturated() - old.saturated
	if !m.timed() {
		return
	}
	r.sum += t.timedSum - old.sum
	for i, n := range &t.timed {
		n = uint64(uint32(n) - old.latency[i])
		r.latency[i] += n
		r.timed += n
	}
}

// merge adds other to r.
func (r *recent) merge(other *recent) {
	r.requests += other.requests
	r.failures += other.failures
	r.saturated += other.saturated
	if other.timed == 0 {
		return
	}
	r.timed += other.timed
	r.sum += other.sum
	for i, n := range &other.latency {
		r.latency[i] += n
	}
}

// view makes the public view of r.
func (r *recent) view(span time.Duration) Window {
	w := Window{
		Span: span, Requests: r.requests, Failures: r.failures, Saturated: r.saturated, LatencySamples: r.timed,
	}
	if r.timed > 0 {
		w.Mean = time.Duration(r.sum / int64(r.timed))
		w.P50 = quantile(r.latency[:], r.timed, 0.50)
		w.P90 = quantile(r.latency[:], r.timed, 0.90)
		w.P99 = quantile(r.latency[:], r.timed, 0.99)
	}
	return w
}
