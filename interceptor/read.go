package interceptor

import (
	"iter"
	"time"

	"google.golang.org/grpc/codes"
)

// Server returns the state of the server side. It costs about 1 µs for each method and stripe in use, blocks no call,
// and the caller may change the result.
func (r *Recorder) Server() *Snapshot { return r.snapshot(r.server, true) }

// Client returns the state of the client side; see Server.
func (r *Recorder) Client() *Snapshot { return r.snapshot(r.client, true) }

// ServerSummary returns Server without Methods. It allocates the same few KB for any number of methods.
func (r *Recorder) ServerSummary() *Snapshot { return r.snapshot(r.server, false) }

// ServerTotals yields the methods of Server, in its order, with Total and Exemplars only. Each Method is reused for the
// next one. It allocates the same 2 KB for any number of methods, takes half of the time of Server and no lock.
func (r *Recorder) ServerTotals() iter.Seq[*Method] { return r.totals(r.server) }

// ClientTotals yields the methods of Client; see ServerTotals.
func (r *Recorder) ClientTotals() iter.Seq[*Method] { return r.totals(r.client) }

// Started returns when the Recorder was created, as Snapshot.Started.
func (r *Recorder) Started() time.Time { return r.created }

func (r *Recorder) snapshot(s *side, detailed bool) *Snapshot {
	now := r.now()
	// The window ends now, within a slot: it spans at most what is configured, and at least one slot less.
	first := max(0, int64(now/s.slotWidth)-windowSlots+1)
	span := now - time.Duration(first)*s.slotWidth
	all := s.table.Load().all
	snap := &Snapshot{Time: time.Now(), Started: r.Started()}
	snap.Total.Latency.Counts = make([]uint64, buckets)
	var counts []uint64
	if detailed {
		snap.Methods = make([]Method, 0, len(all))
		counts = make([]uint64, len(all)*buckets)
	}
	var total, row recent
	var t totals
	for i, m := range all {
		m.rotating.Lock() // before the counters are read, so that no slot is younger than they
		t.read(m, detailed)
		total.add(m, &t, first)
		if detailed {
			row = recent{}
			row.add(m, &t, first)
		}
		m.rotating.Unlock()
		t.addTo(&snap.Total, m, s.client)
		if !detailed || t.hides(m) {
			continue
		}
		made := Method{
			Service: m.service, Name: m.name, Type: m.typ, Window: row.window(span), Exemplars: m.appendExemplars(nil),
			byCode: t.byCode, started: r.created,
		}
		m.readFirsts(&made)
		made.Total.Latency.Counts = counts[i*buckets : (i+1)*buckets : (i+1)*buckets]
		t.addTo(&made.Total, m, s.client)
		snap.Methods = append(snap.Methods, made)
	}
	snap.Window = total.window(span)
	return snap
}

func (r *Recorder) totals(s *side) iter.Seq[*Method] {
	return func(yield func(*Method) bool) { s.totals(r.created, yield) }
}

func (s *side) totals(started time.Time, yield func(*Method) bool) {
	var t totals
	counts := make([]uint64, buckets)
	var exemplars []Exemplar
	var out Method
	for _, m := range s.table.Load().all {
		t.read(m, false)
		if t.hides(m) {
			continue
		}
		out = Method{Service: m.service, Name: m.name, Type: m.typ, started: started}
		m.readFirsts(&out)
		clear(counts)
		out.Total.Latency.Counts = counts
		if exemplars = m.appendExemplars(exemplars[:0]); len(exemplars) > 0 {
			out.Exemplars = exemplars
		}
		t.addTo(&out.Total, m, s.client)
		if !yield(&out) {
			return
		}
	}
}

func (m *method) readFirsts(out *Method) {
	for code := range m.firsts {
		out.firsts[code] = m.firsts[code].Load()
	}
}

// totals is the sum of a method's stripes at about one moment.
type totals struct {
	started, handled, failures, panicked, received, sent uint64

	codes [NumCodes]uint64 // of handled
	// latency is that of handled, short of those among them with a short deadline.
	latency, short latencies
	// byCode is the latency by code, nil if all calls have ended with OK or it was not wanted.
	byCode *[NumCodes]CodeLatency
}

type latencies struct {
	sum    time.Duration
	counts [buckets]uint64
}

// read replaces t by the sum of all stripes of m, with byCode if it is wanted. Calls continue meanwhile. What a call
// writes last is read first, so that no call is seen ended before it is seen started.
func (t *totals) read(m *method, byCode bool) {
	*t = totals{}
	if f := m.shortDeadline.Load(); f != nil {
		t.addFailures(f, byCode)
		t.short = t.latency
	}
	short := t.codes[codes.DeadlineExceeded]
	for i := range m.failures {
		if f := m.failures[i].Load(); f != nil {
			t.addFailures(f, byCode)
		}
	}
	for i := range m.stripes {
		if s := m.stripes[i].Load(); s != nil {
			t.add(s)
		}
	}
	for i, n := range t.codes {
		t.handled += n
		// A code that is a failure always is one, so that the sum never decreases.
		if code := codes.Code(i); n > 0 && IsFailure(code) && (m.registered || code != codes.Unimplemented) {
			t.failures += n
		}
	}
	t.failures -= short
}

// add adds the calls that ended with OK. Failures must have been added before.
func (t *totals) add(s *callStripe) {
	for i := range s.latency {
		n := s.latency[i].Load()
		t.codes[codes.OK] += n
		t.latency.counts[i] += n
		if t.byCode != nil {
			t.byCode[codes.OK].count(int(codeBucket[i]), n)
		}
	}
	sum := time.Duration(s.sum.Load())
	t.latency.sum += sum
	if t.byCode != nil {
		t.byCode[codes.OK].Sum += sum
	}
	t.received += s.received.Load()
	t.sent += s.sent.Load()
	t.started += s.started.Load()
}

func (t *totals) addFailures(f *failStripe, byCode bool) {
	if byCode && t.byCode == nil {
		t.byCode = new([NumCodes]CodeLatency)
	}
	for code := range f.codes {
		c := f.codes[code].Load()
		if c == nil {
			continue
		}
		for i := range c.counts {
			n := c.counts[i].Load()
			t.codes[code] += n
			if byCode {
				t.byCode[code].count(i, n)
			}
		}
		sum := time.Duration(c.sum.Load())
		t.latency.sum += sum
		if byCode {
			t.byCode[code].Sum += sum
		}
	}
	t.panicked += f.panicked.Load()
	for i := range f.latency {
		t.latency.counts[i] += f.latency[i].Load()
	}
}

// hides reports whether snapshots omit m, which has the totals t: until the first call, the methods for other names and
// those of infrastructure services are omitted.
func (t *totals) hides(m *method) bool {
	return t.started == 0 && (m.service == other && m.name == other || isInfrastructure(m.service))
}

// addTo adds t, the totals of m, to s. Latency.Counts must be of full length.
func (t *totals) addTo(s *Stats, m *method, client bool) {
	if t.started == 0 {
		return
	}
	s.Started += t.started
	s.Handled += t.handled
	s.Failures += t.failures
	s.Panics += t.panicked
	for code, n := range &t.codes {
		s.byCode[code] += n
	}
	switch {
	case m.typ != Unary:
		s.MsgReceived += t.received
		s.MsgSent += t.sent
	case client: // a unary call has one message in each direction and needs no counters
		s.MsgReceived += t.codes[codes.OK]
		s.MsgSent += t.started
	default:
		s.MsgReceived += t.started
		s.MsgSent += t.codes[codes.OK]
	}
	s.Latency.Sum += t.latency.sum
	for i, n := range &t.latency.counts {
		s.Latency.Counts[i] += n
	}
}
