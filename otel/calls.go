package otelvitals

import (
	"iter"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/otel/internal/semconv"
)

// callInstruments are those of the recorder.
type callInstruments struct{ server, client *sideInstruments }

// sideInstruments are those of the server or the client side.
type sideInstruments struct {
	side            semconv.Side
	attributes      semconv.Cache
	inFlight        metric.Int64ObservableUpDownCounter
	calls, messages metric.Int64ObservableCounter
	panics          metric.Int64ObservableCounter // nil for the client
}

func newCallInstruments(m *maker) *callInstruments {
	c := &callInstruments{
		server: newSideInstruments(m, semconv.Server, "vitals.rpc.server.", "on the server"),
		client: newSideInstruments(m, semconv.Client, "vitals.rpc.client.", "by the client"),
	}
	c.server.panics = m.counter("vitals.rpc.server.panics", "{call}", "RPCs whose handler panicked.")
	return c
}

func newSideInstruments(m *maker, side semconv.Side, prefix, where string) *sideInstruments {
	return &sideInstruments{
		side:     side,
		inFlight: m.level(prefix+"in_flight", "{call}", "RPCs that have started and not ended "+where+"."),
		calls:    m.counter(prefix+"calls", "{call}", "RPCs completed "+where+", by status code."),
		messages: m.counter(prefix+"messages", "{message}", "Messages received and sent "+where+"."),
	}
}

// observe tells of methods, which are sorted: those that share a name follow each other and are one series.
func (s *sideInstruments) observe(o metric.Observer, methods iter.Seq[*interceptor.Method]) {
	var name semconv.Name
	var sum stats
	for m := range methods {
		if next := semconv.NameOf(m); next != name {
			if name.Method != "" {
				s.observeMethod(o, name, &sum)
			}
			name, sum = next, stats{}
		}
		sum.add(&m.Total)
	}
	if name.Method != "" {
		s.observeMethod(o, name, &sum)
	}
}

// stats are what is exported of a series.
type stats struct {
	interceptor.Stats

	byCode [interceptor.NumCodes]uint64
}

func (s *stats) add(other *interceptor.Stats) {
	s.Started += other.Started
	s.Handled += other.Handled
	s.Panics += other.Panics
	s.MsgReceived += other.MsgReceived
	s.MsgSent += other.MsgSent
	for code := range s.byCode {
		s.byCode[code] += other.ByCode(codes.Code(code))
	}
}

func (s *sideInstruments) observeMethod(o metric.Observer, name semconv.Name, sum *stats) {
	all := metric.WithAttributeSet(s.attributes.Method(name))
	o.ObserveInt64(s.inFlight, count(sum.InFlight()), all)
	o.ObserveInt64(s.messages, count(sum.MsgReceived), s.direction(name, semconv.Received, "received"))
	o.ObserveInt64(s.messages, count(sum.MsgSent), s.direction(name, semconv.Sent, "sent"))
	if s.side == semconv.Server {
		o.ObserveInt64(s.panics, count(sum.Panics), all)
	}
	for code, n := range sum.byCode {
		if n > 0 || code == 0 { // OK is there from the start, so that a rate has something to start from
			set := s.attributes.Calls(s.side, name, codes.Code(code))
			o.ObserveInt64(s.calls, count(n), metric.WithAttributeSet(set))
		}
	}
}

// direction returns the attributes of a method's messages in one direction.
func (s *sideInstruments) direction(name semconv.Name, slot semconv.Slot, word string) metric.ObserveOption {
	return metric.WithAttributeSet(s.attributes.Get(name, slot, func() attribute.Set {
		all := semconv.Method(name)
		return attribute.NewSet(append(all.ToSlice(), keyDirection.String(word))...)
	}))
}
