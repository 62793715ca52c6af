package otelvitals_test

import (
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	otelvitals "github.com/vitals-go/vitals/otel"
	"github.com/vitals-go/vitals/servicer"
)

// strict is a MeterProvider that shows what its callbacks observe. The SDK would add up what is observed twice, which
// nobody promises.
type strict struct {
	noopmetric.MeterProvider
	callbacks []metric.Callback
}

func (s *strict) Meter(string, ...metric.MeterOption) metric.Meter { return &strictMeter{provider: s} }

type strictMeter struct {
	noopmetric.Meter
	provider *strict
}

func (m *strictMeter) RegisterCallback(f metric.Callback, _ ...metric.Observable) (metric.Registration, error) {
	m.provider.callbacks = append(m.provider.callbacks, f)
	return noopmetric.Registration{}, nil
}

type namedCounter struct {
	noopmetric.Int64ObservableCounter
	name string
}

func (m *strictMeter) Int64ObservableCounter(name string, _ ...metric.Int64ObservableCounterOption) (metric.Int64ObservableCounter, error) {
	return &namedCounter{name: name}, nil
}

// seen is the Observer: it counts what comes for each counter and its attributes.
type seen struct {
	noopmetric.Observer
	times map[string]int
}

func (s *seen) ObserveInt64(instrument metric.Int64Observable, _ int64, options ...metric.ObserveOption) {
	if c, ok := instrument.(*namedCounter); ok {
		set := metric.NewObserveConfig(options).Attributes()
		s.times[c.name+" "+set.Encoded(attribute.DefaultEncoder())]++
	}
}

func TestEverySeriesIsObservedOnce(t *testing.T) {
	recorder := traffic(t, nil)
	call(t, recorder, "/a.Stranger/Calls", codes.OK)
	_ = recorder.StreamServerInterceptor(nil, &idle{ctx: t.Context()}, &grpc.StreamServerInfo{FullMethod: "/a.Stranger/Streams", IsServerStream: true},
		func(any, grpc.ServerStream) error { return nil })
	provider := &strict{}
	exporter(t, otelvitals.Config{Source: told{report()}, Recorder: recorder, MeterProvider: provider})
	if len(provider.callbacks) != 1 {
		t.Fatalf("%d callbacks, want one for all", len(provider.callbacks))
	}
	s := &seen{times: map[string]int{}}
	if err := provider.callbacks[0](t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if len(s.times) < 10 {
		t.Fatalf("only %d series: %v", len(s.times), s.times)
	}
	for series, n := range s.times {
		if n != 1 {
			t.Errorf("%s is observed %d times", series, n)
		}
	}
}

func TestNoTimeBeforeTheFirstSuccess(t *testing.T) {
	r := report()
	fresh := *r.Checks[0]
	fresh.LastSuccess = time.Time{}
	provider, reader := meter(t)
	r.Checks[0] = &fresh
	exporter(t, otelvitals.Config{Source: told{r}, MeterProvider: provider})
	if at, found := values(t, collect(t, reader))["vitals.check.last_success.time{vitals.check.name=cache}"]; found {
		t.Errorf("a check that has never passed did so at %v", at)
	}
}

// lateNews has a transition more in each report that is read.
type lateNews struct{ told }

func (l *lateNews) Report() *servicer.Report {
	last := *l.report
	last.Transitions = []servicer.Transition{{Seq: 1, Subject: "phase", From: "draining", To: "stopped"}}
	before := l.report
	l.report = &last
	return before
}

func TestLastTransitionIsNotLost(t *testing.T) {
	provider, recorder := tracer()
	e := exporter(t, otelvitals.Config{Source: &lateNews{told{report()}}, TracerProvider: provider})
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended := recorder.Ended()
	if len(ended) != 1 || attributes(ended[0])["vitals.to"] != "stopped" {
		t.Errorf("the last transition is lost: %v", ended)
	}
}
