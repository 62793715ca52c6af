package interceptor

import (
	"cmp"
	"slices"
	"time"
)

// Server returns what the server side has seen until now. It costs about 1 µs per method and stripe in use, takes
// no lock that a call waits for, and the result is the caller's own.
func (r *Recorder) Server() *Snapshot { return r.server.snapshot(r.now(), true) }

// Client returns what the client side has seen until now; see Server.
func (r *Recorder) Client() *Snapshot { return r.client.snapshot(r.now(), true) }

// ServerSummary is Server without Methods: it allocates the same few KB for any number of methods, and suits somebody
// who asks every second.
func (r *Recorder) ServerSummary() *Snapshot { return r.server.snapshot(r.now(), false) }

// ClientSummary is Client without Methods; see ServerSummary.
func (r *Recorder) ClientSummary() *Snapshot { return r.client.snapshot(r.now(), false) }

func (s *side) snapshot(now time.Duration, detailed bool) *Snapshot {
	all := s.table.Load().all
	snap := &Snapshot{Time: time.Now()}
	var counts []uint64
	if detailed {
		snap.Methods = make([]Method, 0, len(all))
		counts = make([]uint64, len(all)*buckets)
	}
	first := s.firstSlot(now)
	span := now - time.Duration(first)*s.config.Slot
	total, scratch := newRecent(), newRecent()
	snap.Total.Latency.Counts = make([]uint64, buckets)
	var t tally
	for i, m := range all {
		// Locked before the counters are read, so that no mark is younger than what it is subtracted from.
		m.turning.Lock()
		t = tally{}
		t.add(m)
		total.add(m, &t, first)
		if detailed {
			scratch.reset()
			scratch.add(m, &t, first)
		}
		m.turning.Unlock()
		t.addTo(&snap.Total, m, s.client)
		if detailed && (t.started > 0 || !m.hidden) {
			snap.Methods = append(snap.Methods, Method{Service: m.service, Name: m.name, Type: m.typ})
			row := &snap.Methods[len(snap.Methods)-1]
			row.Total.Latency.Counts = counts[i*buckets : (i+1)*buckets : (i+1)*buckets]
			t.addTo(&row.Total, m, s.client)
			row.Window = scratch.view(span)
		}
	}
	snap.Window = total.view(span)
	slices.SortFunc(snap.Methods, compareMethods)
	return snap
}

func compareMethods(a, b Method) int {
	return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type))
}

// firstSlot returns the first slot of the window that ends now. The window ends in the midst of a slot, so it spans
// between one slot less than configured and what is configured.
func (s *side) firstSlot(now time.Duration) int64 {
	slots := int64(s.config.Window / s.config.Slot)
	return max(0, int64(now/s.config.Slot)-slots+1)
}

func newRecent() *recent { return &recent{latency: Histogram{Counts: make([]uint64, buckets)}} }

func (r *recent) reset() {
	counts := r.latency.Counts
	clear(counts)
	*r = recent{latency: Histogram{Counts: counts}}
}
