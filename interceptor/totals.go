package interceptor

import (
	"iter"
	"time"
)

// Started returns the recorder's birth, as Snapshot.Started does.
func (r *Recorder) Started() time.Time { return r.base.Round(0) }

// ServerTotals yields the methods of Server, in its order, with their Total alone. It is for an exporter that reads on
// and keeps nothing: the Method, its Latency.Counts and its Exemplars are the next one's as soon as the loop goes on. It allocates the
// same 2 KB for any number of methods, takes about half of the time of Server, and no lock.
func (r *Recorder) ServerTotals() iter.Seq[*Method] { return r.server.totals }

// ClientTotals yields what Client tells; see ServerTotals.
func (r *Recorder) ClientTotals() iter.Seq[*Method] { return r.client.totals }

func (s *side) totals(yield func(*Method) bool) {
	var t totals
	var out Method
	counts := make([]uint64, buckets)
	var exemplars []Exemplar
	for _, m := range s.table.Load().all {
		t = totals{}
		t.add(m)
		if t.started == 0 && m.hidden {
			continue
		}
		out = Method{Service: m.service, Name: m.name, Type: m.typ}
		clear(counts)
		out.Total.Latency.Counts = counts
		exemplars = m.appendExemplars(exemplars[:0])
		if len(exemplars) > 0 {
			out.Exemplars = exemplars
		}
		if t.started > 0 {
			t.addTo(&out.Total, m, s.client)
		}
		if !yield(&out) {
			return
		}
	}
}
