package interceptor

import "time"

// Server returns what the server side has seen until now. It costs about 1 µs per method and stripe in use, takes
// no lock that a call waits for, and the result is the caller's own.
func (r *Recorder) Server() *Snapshot { return r.snapshot(r.server, true) }

// Client returns what the client side has seen until now; see Server.
func (r *Recorder) Client() *Snapshot { return r.snapshot(r.client, true) }

// ServerSummary is Server without Methods: it allocates the same few KB for any number of methods, and suits somebody
// who asks every second.
func (r *Recorder) ServerSummary() *Snapshot { return r.snapshot(r.server, false) }

func (r *Recorder) snapshot(s *side, detailed bool) *Snapshot {
	snap := s.snapshot(r.now(), detailed)
	snap.Started = r.base.Round(0) // the wall clock alone, as the other time
	return snap
}

func (s *side) snapshot(now time.Duration, detailed bool) *Snapshot {
	all := s.table.Load().all
	snap := &Snapshot{Time: time.Now()}
	var counts []uint64
	if detailed {
		snap.Methods = make([]Method, 0, len(all))
		counts = make([]uint64, len(all)*buckets)
	}
	snap.Total.Latency.Counts = make([]uint64, buckets)
	first := s.firstSlot(now)
	span := now - time.Duration(first)*s.slot
	var total, row recent
	var t totals
	if detailed {
		t.split = new(split)
	}
	for i, m := range all {
		m.read(&t, &row, first)
		if t.started > 0 {
			t.addTo(&snap.Total, m, s.client)
			total.merge(&row)
		}
		if !detailed || t.started == 0 && m.hidden {
			continue
		}
		snap.Methods = append(snap.Methods, Method{
			Service: m.service, Name: m.name, Type: m.typ, Window: row.view(span), Exemplars: m.appendExemplars(nil),
		})
		stats := &snap.Methods[len(snap.Methods)-1].Total
		stats.Latency.Counts = counts[i*buckets : (i+1)*buckets : (i+1)*buckets]
		if t.started > 0 {
			t.addTo(stats, m, s.client)
		}
		if t.split.mixed {
			t.split.fillOK(&t)
			byCode := t.split.byCode
			snap.Methods[len(snap.Methods)-1].byCode = &byCode
		}
	}
	snap.Window = total.view(span)
	return snap
}

// read replaces t by the method's present state and row by what happened since the beginning of slot first.
func (m *method) read(t *totals, row *recent, first int64) {
	// Taken before the counters are read, so that no mark is younger than what it is subtracted from.
	m.turning.Lock()
	defer m.turning.Unlock()
	split := t.split
	if split != nil && split.mixed {
		split.clear()
	}
	*t, *row = totals{split: split}, recent{}
	t.add(m)
	if t.started > 0 {
		row.add(m, t, first)
	}
}

// firstSlot returns the first slot of the window that ends now. The window ends in the midst of a slot, so it spans
// between one slot less than configured and what is configured.
func (s *side) firstSlot(now time.Duration) int64 {
	return max(0, int64(now/s.slot)-windowSlots+1)
}
