package interceptor

import (
	"time"

	"google.golang.org/grpc/codes"
)

// totals is the sum of a method's stripes at about one moment.
type totals struct {
	started, received, sent, ok uint64
	okSum                       time.Duration
	okLatency                   [buckets]uint64
	// failed are the calls that did not end with OK, short those with a short deadline. Both are zero unless mixed.
	failed, short failTotals
	mixed         bool
}

type failTotals struct {
	panicked uint64
	codes    [NumCodes]uint64
	byCode   [NumCodes]codeLatency
	sum      time.Duration
	latency  [buckets]uint64
}

// read replaces t by the sum of all stripes of m. Calls continue meanwhile. What a call writes last is read first, so
// that no call is seen ended before it is seen started.
func (t *totals) read(m *method) {
	if t.mixed {
		t.failed, t.short = failTotals{}, failTotals{}
	}
	t.started, t.received, t.sent, t.ok, t.okSum, t.okLatency, t.mixed = 0, 0, 0, 0, 0, [buckets]uint64{}, false
	if f := m.shortDeadline.Load(); f != nil {
		t.mixed = true
		t.short.add(f)
	}
	for i := range m.failures {
		if f := m.failures[i].Load(); f != nil {
			t.mixed = true
			t.failed.add(f)
		}
	}
	for i := range m.stripes {
		if s := m.stripes[i].Load(); s != nil {
			t.add(s)
		}
	}
}

func (t *totals) add(s *callStripe) {
	for i := range s.latency {
		n := s.latency[i].Load()
		t.ok += n
		t.okLatency[i] += n
	}
	t.okSum += time.Duration(s.sum.Load())
	t.received += s.received.Load()
	t.sent += s.sent.Load()
	t.started += s.started.Load()
}

func (t *failTotals) add(f *failStripe) {
	for code := range f.codes {
		c := f.codes[code].Load()
		if c == nil {
			continue
		}
		for i := range c.counts {
			n := c.counts[i].Load()
			t.codes[code] += n
			t.byCode[code].counts[i] += n
		}
		sum := time.Duration(c.sum.Load())
		t.byCode[code].sum += sum
		t.sum += sum
	}
	t.panicked += f.panicked.Load()
	for i := range f.latency {
		t.latency[i] += f.latency[i].Load()
	}
}

func (t *totals) handled() uint64 {
	n := t.ok + t.short.codes[codes.DeadlineExceeded]
	for _, c := range &t.failed.codes {
		n += c
	}
	return n
}

func (t *totals) saturated() uint64 { return t.failed.codes[codes.ResourceExhausted] }

// failures returns the number of failures of the method. Every term only grows, and so does the sum.
func (t *totals) failures(registered bool) (n uint64) {
	for code, c := range &t.failed.codes {
		if c > 0 && IsFailure(codes.Code(code)) && (registered || codes.Code(code) != codes.Unimplemented) {
			n += c
		}
	}
	return n
}

// latencies returns the latency of all calls by code, nil if all have ended with OK.
func (t *totals) latencies() *[NumCodes]codeLatency {
	if !t.mixed {
		return nil
	}
	byCode := t.failed.byCode
	byCode[codes.OK].add(&t.okLatency, t.okSum)
	byCode[codes.DeadlineExceeded].add(&t.short.latency, t.short.sum)
	return &byCode
}

// addTo adds t, the totals of m, to s. Latency.Counts must be of full length.
func (t *totals) addTo(s *Stats, m *method, client bool) {
	s.Started += t.started
	s.Handled += t.handled()
	for code := range s.byCode {
		s.byCode[code] += t.failed.codes[code] + t.short.codes[code]
	}
	s.byCode[codes.OK] += t.ok
	s.Failures += t.failures(m.registered)
	s.Panics += t.failed.panicked
	switch {
	case m.typ != Unary:
		s.MsgReceived += t.received
		s.MsgSent += t.sent
	case client: // a unary call has one message in each direction and needs no counters
		s.MsgReceived += t.ok
		s.MsgSent += t.started
	default:
		s.MsgReceived += t.started
		s.MsgSent += t.ok
	}
	s.Latency.Sum += t.okSum + t.failed.sum + t.short.sum
	counts := (*[buckets]uint64)(s.Latency.Counts)
	for i, n := range &t.okLatency {
		counts[i] += n + t.failed.latency[i] + t.short.latency[i]
	}
}
