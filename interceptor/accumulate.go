package interceptor

import (
	"time"

	"google.golang.org/grpc/codes"
)

// totals is the sum of a method's stripes at about one moment.
type totals struct {
	started, received, sent     uint64
	ok, shortDeadline, panicked uint64
	codes                       [NumCodes]uint64
	timed, shortLatency         [buckets]uint64
	timedSum, shortSum          int64
	// split is filled too unless it is nil: it is as large as all the rest.
	split *split
}

// add adds all stripes of m. Calls go on meanwhile. What a call writes last is read first, so that a call is never
// seen ended without having started.
func (t *totals) add(m *method) {
	if h := m.shortDeadline.Load(); h != nil {
		t.addShortDeadline(h)
	}
	for i := range m.failures {
		if f := m.failures[i].Load(); f != nil {
			t.addFailures(f)
		}
	}
	for i := range m.stripes {
		if s := m.stripes[i].Load(); s != nil {
			t.addStripe(s)
		}
	}
}

func (t *totals) addFailures(f *failStripe) {
	if t.split != nil {
		t.split.mixed = true
	}
	for i := range f.codes {
		times := f.codes[i].Load()
		if times == nil {
			continue
		}
		l := times.read()
		for _, n := range l.counts {
			t.codes[i] += n
		}
		t.timedSum += int64(l.sum)
		if t.split != nil {
			t.split.add(codes.Code(i), &l)
		}
	}
	t.panicked += f.panicked.Load()
	for i := range f.latency {
		n := f.latency[i].Load()
		t.timed[i] += n
		if t.split != nil {
			t.split.failed[i] += n
		}
	}
}

func (t *totals) addShortDeadline(h *shortDeadlineCalls) {
	for i := range h.latency {
		n := h.latency[i].Load()
		t.shortDeadline += n
		t.shortLatency[i] += n
	}
	t.shortSum += h.sum.Load()
	if t.split != nil {
		t.split.addShortDeadline(t)
	}
}

func (t *totals) addStripe(s *callStripe) {
	for i := range s.latency {
		n := s.latency[i].Load()
		t.ok += n
		t.timed[i] += n
	}
	t.timedSum += s.sum.Load()
	t.received += s.received.Load()
	t.sent += s.sent.Load()
	t.started += s.started.Load()
}

func (t *totals) handled() uint64 {
	n := t.ok + t.shortDeadline
	for _, c := range &t.codes {
		n += c
	}
	return n
}

func (t *totals) saturated() uint64 { return t.codes[codes.ResourceExhausted] }

// failures counts the calls that are the method's fault. Every term only grows, and so does the result.
func (t *totals) failures(registered bool) (n uint64) {
	for code, c := range &t.codes {
		if c > 0 && IsFailure(codes.Code(code)) && (registered || codes.Code(code) != codes.Unimplemented) {
			n += c
		}
	}
	return n
}

// timed reports whether the method's latencies mean anything: a stream lives as long as it likes.
func (m *method) timed() bool { return m.typ == Unary || m.typ == Other }

// addTo adds t, a tally of m, to s, whose Latency.Counts must be of full length.
func (t *totals) addTo(s *Stats, m *method, client bool) {
	handled := t.handled()
	s.Started += t.started
	s.Handled += handled
	s.byCode[codes.OK] += t.ok
	for code, n := range &t.codes {
		s.byCode[code] += n
	}
	s.byCode[codes.DeadlineExceeded] += t.shortDeadline
	s.Failures += t.failures(m.registered)
	s.Panics += t.panicked
	received, sent := t.received, t.sent
	if m.typ == Unary {
		// A unary call has one message each way, and needs no counter for them.
		received, sent = t.started, t.ok
		if client {
			received, sent = sent, received
		}
	}
	s.MsgReceived += received
	s.MsgSent += sent
	s.Latency.Sum += time.Duration(t.timedSum + t.shortSum)
	counts := (*[buckets]uint64)(s.Latency.Counts)
	for i, n := range &t.timed {
		counts[i] += n + t.shortLatency[i]
	}
}
