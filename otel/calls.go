package otelvitals

import (
	"context"
	"iter"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/otel/internal/semconv"
)

// callInstruments export one side of a recorder.
type callInstruments struct {
	side            semconv.Side
	attributes      semconv.Cache
	inFlight        metric.Int64ObservableUpDownCounter
	calls, messages *counter
	panics          *counter // nil for the client
}

func newCallInstruments(b *builder, side semconv.Side, prefix, where string) *callInstruments {
	return &callInstruments{
		side:     side,
		inFlight: b.upDown(prefix+"in_flight", "{call}", "RPCs that have started and not ended "+where+"."),
		calls:    b.counter(prefix+"calls", "{call}", "RPCs completed "+where+", by status code."),
		messages: b.counter(prefix+"messages", "{message}", "Messages received and sent "+where+"."),
	}
}

// observe adds up methods of one name, which follow each other: an SDK may keep only one value of a series.
func (s *callInstruments) observe(ctx context.Context, o observer, methods iter.Seq[*interceptor.Method]) {
	var name semconv.Name
	var sum callSum
	for m := range methods {
		if next := semconv.NameOf(m); next != name {
			s.observeMethod(ctx, o, name, &sum)
			name, sum = next, callSum{}
		}
		sum.add(&m.Total)
	}
	s.observeMethod(ctx, o, name, &sum)
	for _, c := range s.counters() {
		c.collected(false)
	}
}

func (s *callInstruments) counters() []*counter {
	all := []*counter{s.calls, s.messages}
	if s.panics != nil {
		all = append(all, s.panics)
	}
	return all
}

func (s *callInstruments) restart() {
	for _, c := range s.counters() {
		c.restart()
	}
}

type callSum struct {
	inFlight, received, sent, panics uint64
	byCode                           [interceptor.NumCodes]uint64
}

func (c *callSum) add(s *interceptor.Stats) {
	c.inFlight += s.InFlight()
	c.received += s.MsgReceived
	c.sent += s.MsgSent
	c.panics += s.Panics
	for code := range c.byCode {
		c.byCode[code] += s.ByCode(codes.Code(code))
	}
}

func (s *callInstruments) observeMethod(ctx context.Context, o observer, name semconv.Name, sum *callSum) {
	if name == (semconv.Name{}) { // before the first method
		return
	}
	all := s.attributes.Method(name)
	o.ObserveInt64(s.inFlight, int64(sum.inFlight), metric.WithAttributeSet(all))
	s.messages.count(ctx, sum.received, s.direction(name, semconv.Received, "received"))
	s.messages.count(ctx, sum.sent, s.direction(name, semconv.Sent, "sent"))
	if s.panics != nil {
		s.panics.count(ctx, sum.panics, all)
	}
	for code, n := range sum.byCode {
		if n > 0 || code == 0 { // OK from the start, so that rate() sees the first call
			s.calls.count(ctx, n, s.attributes.Calls(s.side, name, codes.Code(code)))
		}
	}
}

// direction returns the attributes of a method's messages in one direction.
func (s *callInstruments) direction(name semconv.Name, slot semconv.Slot, text string) attribute.Set {
	return s.attributes.Get(name, slot, func() attribute.Set {
		return semconv.Method(name, keyDirection.String(text))
	})
}
