package otelvitals

import (
	"go.opentelemetry.io/otel/metric"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/otel/internal/semconv"
)

// callInstruments are those of the recorder.
type callInstruments struct{ server, client sideInstruments }

// sideInstruments are those of the server or the client side.
type sideInstruments struct {
	side            semconv.Side
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

func newSideInstruments(m *maker, side semconv.Side, prefix, where string) sideInstruments {
	return sideInstruments{
		side:     side,
		inFlight: m.level(prefix+"in_flight", "{call}", "RPCs that have started and not ended "+where+"."),
		calls:    m.counter(prefix+"calls", "{call}", "RPCs completed "+where+", by status code."),
		messages: m.counter(prefix+"messages", "{message}", "Messages received and sent "+where+"."),
	}
}

func (s *sideInstruments) observe(o metric.Observer, snapshot *interceptor.Snapshot) {
	for name, methods := range semconv.ByName(snapshot.Methods) {
		var sum interceptor.Stats
		for i := range methods {
			add(&sum, &methods[i].Total)
		}
		s.observeMethod(o, name, &sum)
	}
}

// add adds what is exported of other to sum.
func add(sum, other *interceptor.Stats) {
	sum.Started += other.Started
	sum.Handled += other.Handled
	sum.Panics += other.Panics
	sum.MsgReceived += other.MsgReceived
	sum.MsgSent += other.MsgSent
	for code, n := range other.ByCode {
		sum.ByCode[code] += n
	}
}

func (s *sideInstruments) observeMethod(o metric.Observer, name string, sum *interceptor.Stats) {
	method := semconv.Method(name)
	all := metric.WithAttributeSet(method)
	o.ObserveInt64(s.inFlight, count(sum.InFlight()), all)
	o.ObserveInt64(s.messages, count(sum.MsgReceived), all, with(keyDirection.String("received")))
	o.ObserveInt64(s.messages, count(sum.MsgSent), all, with(keyDirection.String("sent")))
	if s.side == semconv.Server {
		o.ObserveInt64(s.panics, count(sum.Panics), all)
	}
	for code, n := range sum.ByCode {
		if n > 0 || code == 0 { // OK is there from the start, so that a rate has something to start from
			set := semconv.Calls(s.side, name, codes.Code(code))
			o.ObserveInt64(s.calls, count(n), metric.WithAttributeSet(set))
		}
	}
}
