package otelvitals_test

import (
	"context"
	"maps"
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

// callbackProvider is a MeterProvider that keeps its callbacks. Adding up what is observed twice, as the SDK does, is not
// specified.
type callbackProvider struct {
	noopmetric.MeterProvider
	callbacks []metric.Callback
	added     map[string]int
}

func (s *callbackProvider) Meter(string, ...metric.MeterOption) metric.Meter {
	return &callbackMeter{provider: s}
}

type callbackMeter struct {
	noopmetric.Meter
	provider *callbackProvider
}

func (m *callbackMeter) RegisterCallback(f metric.Callback, _ ...metric.Observable) (metric.Registration, error) {
	m.provider.callbacks = append(m.provider.callbacks, f)
	return noopmetric.Registration{}, nil
}

type namedUpDown struct {
	noopmetric.Int64ObservableUpDownCounter
	name string
}

func (m *callbackMeter) Int64ObservableUpDownCounter(name string, _ ...metric.Int64ObservableUpDownCounterOption) (metric.Int64ObservableUpDownCounter, error) {
	return &namedUpDown{name: name}, nil
}

// countingObserver counts the observations of each instrument and its attributes.
type countingObserver struct {
	noopmetric.Observer
	times map[string]int
}

type countedCounter struct {
	noopmetric.Int64Counter
	name string
	on   *callbackProvider
}

func (m *callbackMeter) Int64Counter(name string, _ ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return &countedCounter{name: name, on: m.provider}, nil
}

func (c *countedCounter) Add(_ context.Context, _ int64, options ...metric.AddOption) {
	set := metric.NewAddConfig(options).Attributes()
	c.on.added[c.name+" "+set.Encoded(attribute.DefaultEncoder())]++
}

func (s *countingObserver) ObserveInt64(instrument metric.Int64Observable, _ int64, options ...metric.ObserveOption) {
	if c, ok := instrument.(*namedUpDown); ok {
		set := metric.NewObserveConfig(options).Attributes()
		s.times[c.name+" "+set.Encoded(attribute.DefaultEncoder())]++
	}
}

func TestCollectionObservesEachSeriesOnce(t *testing.T) {
	recorder := traffic(t, nil)
	call(t, recorder, "/a.Stranger/Calls", codes.OK)
	_ = recorder.StreamServerInterceptor(nil, &idle{ctx: t.Context()}, &grpc.StreamServerInfo{FullMethod: "/a.Stranger/Streams", IsServerStream: true},
		func(any, grpc.ServerStream) error { return nil })
	provider := &callbackProvider{added: map[string]int{}}
	exporter(t, otelvitals.Config{Source: staticSource{report()}, Recorder: recorder, MeterProvider: provider})
	if len(provider.callbacks) != 1 {
		t.Fatalf("%d callbacks, want one for all", len(provider.callbacks))
	}
	s := &countingObserver{times: map[string]int{}}
	if err := provider.callbacks[0](t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if len(s.times) < 10 || len(provider.added) < 10 {
		t.Fatalf("only %d and %d series: %v %v", len(s.times), len(provider.added), s.times, provider.added)
	}
	maps.Copy(s.times, provider.added)
	for series, n := range s.times {
		if n != 1 {
			t.Errorf("%s is observed %d times", series, n)
		}
	}
}

func TestLastSuccessIsAbsentBeforeTheFirst(t *testing.T) {
	r := report()
	fresh := *r.Checks[0]
	fresh.LastSuccess = time.Time{}
	provider, reader := meter(t)
	r.Checks[0] = &fresh
	exporter(t, otelvitals.Config{Source: staticSource{r}, MeterProvider: provider})
	if at, found := values(t, collect(t, reader))["vitals.check.last_success.time{vitals.check.name=cache}"]; found {
		t.Errorf("a check that has never passed has a last success at %v", at)
	}
}

// changingSource has one more transition from its second report on.
type changingSource struct{ staticSource }

func (c *changingSource) Report() *servicer.Report {
	last := *c.report
	last.Transitions = []servicer.Transition{{Seq: 1, Subject: "phase", From: "draining", To: "stopped"}}
	before := c.report
	c.report = &last
	return before
}

func TestRunEmitsTransitionsOfTheLastReport(t *testing.T) {
	provider, recorder := tracer()
	e := exporter(t, otelvitals.Config{Source: &changingSource{staticSource{report()}}, TracerProvider: provider})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Run(ctx); err != nil {
		t.Fatal(err)
	}
	ended := recorder.Ended()
	if len(ended) != 1 || attributes(ended[0])["vitals.to"] != "stopped" {
		t.Errorf("the last transition is lost: %v", ended)
	}
}
