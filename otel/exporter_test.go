package otelvitals_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/metric"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	nooptrace "go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	otelvitals "github.com/vitals-go/vitals/otel"
	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer"
)

func TestCollectExportsReport(t *testing.T) {
	provider, reader := meter(t)
	exporter(t, otelvitals.Config{Source: staticSource{report()}, MeterProvider: provider})
	all := collect(t, reader)
	got := values(t, all)
	for name, want := range map[string]float64{
		"vitals.serving{vitals.service=}":                                                  1,
		"vitals.serving{vitals.service=cache}":                                             0,
		"vitals.status{vitals.status=warning}":                                             1,
		"vitals.status{vitals.status=healthy}":                                             0,
		"vitals.status{vitals.status=unknown}":                                             0,
		"vitals.phase{vitals.phase=ready}":                                                 1,
		"vitals.phase{vitals.phase=stopped}":                                               0,
		"vitals.watch.streams{}":                                                           3,
		"vitals.probes{vitals.prober=kubelet,vitals.protocol=grpc,vitals.service=livenes}": 9,
		"vitals.probe.state{vitals.probe.state=unknown,vitals.prober=kubelet,vitals.protocol=grpc,vitals.service=livenes}": 1,
		"vitals.probe.state{vitals.probe.state=ok,vitals.prober=kubelet,vitals.protocol=grpc,vitals.service=livenes}":      0,
		"vitals.check.status{vitals.check.name=cache,vitals.status=warning}":                                               1,
		"vitals.check.status{vitals.check.name=cache,vitals.status=critical}":                                              0,
		"vitals.check.runs{vitals.check.name=cache,vitals.status=healthy}":                                                 5,
		"vitals.check.runs{vitals.check.name=cache,vitals.status=warning}":                                                 2,
		"vitals.check.consecutive_failures{vitals.check.name=cache}":                                                       2,
		"vitals.check.last_success.time{vitals.check.name=cache}":                                                          1000.5,
		"vitals.check.measurement{vitals.check.name=cache,vitals.unit=%}":                                                  41.5,
		"vitals.breaker.state{vitals.breaker.name=cache,vitals.breaker.state=open}":                                        1,
		"vitals.breaker.state{vitals.breaker.name=cache,vitals.breaker.state=closed}":                                      0,
		"vitals.breaker.transitions{vitals.breaker.name=cache,vitals.breaker.state=half-open}":                             2,
		"vitals.breaker.calls{vitals.breaker.name=cache,vitals.breaker.result=success}":                                    10,
		"vitals.breaker.calls{vitals.breaker.name=cache,vitals.breaker.result=failure}":                                    5,
		"vitals.breaker.calls{vitals.breaker.name=cache,vitals.breaker.result=neutral}":                                    1,
		"vitals.breaker.calls{vitals.breaker.name=cache,vitals.breaker.result=rejected}":                                   7,
		"vitals.breaker.slow_calls{vitals.breaker.name=cache}":                                                             4,
	} {
		if value, found := got[name]; !found || value != want {
			t.Errorf("%s is %v (found: %v), want %v", name, value, found, want)
		}
	}
	if strings.Contains(fmt.Sprintf("%+v", all), "hunter2") {
		t.Error("the metrics show the cause of a failure")
	}
}

func TestCollectExportsCalls(t *testing.T) {
	recorder := traffic(t, map[codes.Code]int{codes.OK: 30, codes.NotFound: 4, codes.Internal: 2})
	call(t, recorder, "/a.Stranger/Calls", codes.OK)
	_, err := recorder.StreamClientInterceptor(t.Context(), &grpc.StreamDesc{ServerStreams: true}, nil, "/up.v1.Stream/Follow",
		func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
			return nil, status.Error(codes.NotFound, "")
		})
	if status.Code(err) != codes.NotFound {
		t.Fatal(err)
	}
	provider, reader := meter(t)
	exporter(t, otelvitals.Config{Recorder: recorder, MeterProvider: provider})
	got := values(t, collect(t, reader))
	const place = "rpc.method=shop.v1.Orders/Place"
	code := func(name string) string {
		return ",rpc.response.status_code=" + name + ",rpc.status_code=" + name + "}"
	}
	for name, want := range map[string]float64{
		"vitals.rpc.server.calls{" + place + code("OK"):                                                   30,
		"vitals.rpc.server.calls{" + place + code("NOT_FOUND"):                                            4,
		"vitals.rpc.server.calls{error.type=INTERNAL," + place + code("INTERNAL"):                         2,
		"vitals.rpc.server.calls{rpc.method=_OTHER" + code("OK"):                                          1,
		"vitals.rpc.server.in_flight{" + place + "}":                                                      0,
		"vitals.rpc.server.panics{" + place + "}":                                                         0,
		"vitals.rpc.server.messages{" + place + ",vitals.direction=received}":                             36,
		"vitals.rpc.server.messages{" + place + ",vitals.direction=sent}":                                 30,
		"vitals.rpc.client.calls{error.type=NOT_FOUND,rpc.method=up.v1.Stream/Follow" + code("NOT_FOUND"): 1,
	} {
		if value, found := got[name]; !found || value != want {
			t.Errorf("%s is %v (found: %v), want %v", name, value, found, want)
		}
	}
	for name := range got {
		if strings.Contains(name, "ABORTED") {
			t.Errorf("a code without calls has a series: %s", name)
		}
		if strings.Contains(name, "Stranger") {
			t.Errorf("an unregistered name is an attribute: %s", name)
		}
	}
}

// Unary calls and streams of unknown names are counted apart by the recorder, but have the same attributes here.
func TestMethodsOfOneNameShareASeries(t *testing.T) {
	recorder := traffic(t, nil)
	call(t, recorder, "/a.Stranger/Calls", codes.OK)
	_ = recorder.StreamServerInterceptor(nil, &idle{ctx: t.Context()}, &grpc.StreamServerInfo{FullMethod: "/a.Stranger/Streams", IsServerStream: true},
		func(any, grpc.ServerStream) error { return nil })
	provider, reader := meter(t)
	exporter(t, otelvitals.Config{Recorder: recorder, MeterProvider: provider})
	got := values(t, collect(t, reader))
	if n := got["vitals.rpc.server.calls{rpc.method=_OTHER,rpc.response.status_code=OK,rpc.status_code=OK}"]; n != 2 {
		t.Errorf("%v calls of unknown names, want 2", n)
	}
}

type idle struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *idle) Context() context.Context { return s.ctx }

func TestNewReportsAllMistakes(t *testing.T) {
	for name, test := range map[string]struct {
		config otelvitals.Config
		words  []string
	}{
		"empty":              {otelvitals.Config{}, []string{"Source", "MeterProvider", "TracerProvider", "Producer"}},
		"no provider":        {otelvitals.Config{Source: staticSource{report()}}, []string{"MeterProvider"}},
		"no source of spans": {otelvitals.Config{Recorder: traffic(t, nil), TracerProvider: nooptrace.NewTracerProvider()}, []string{"TracerProvider", "Source"}},
		"attached producer":  {otelvitals.Config{Source: staticSource{report()}, Producer: attachedProducer{}}, []string{"already attached"}},
		"failing meter":      {otelvitals.Config{Source: staticSource{report()}, MeterProvider: failingProvider{}}, []string{"cannot make vitals.check.runs", "cannot make vitals.breaker.calls"}},
	} {
		_, err := otelvitals.New(test.config)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, word := range test.words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %q is missing in: %v", name, word, err)
			}
		}
	}
}

type attachedProducer struct{}

func (attachedProducer) Attach(servicer.ReportSource, *interceptor.Recorder) error {
	return errors.New("already attached")
}

func (attachedProducer) Detach() {}

// failingProvider makes no counters.
type failingProvider struct{ noopmetric.MeterProvider }

func (failingProvider) Meter(string, ...metric.MeterOption) metric.Meter { return failingMeter{} }

type failingMeter struct{ noopmetric.Meter }

func (failingMeter) Int64Counter(name string, _ ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return noopmetric.Int64Counter{}, errors.New("cannot make " + name)
}

func TestCloseEndsAllSeriesButCounters(t *testing.T) {
	provider, reader := meter(t)
	e := exporter(t, otelvitals.Config{Source: staticSource{report()}, Recorder: traffic(t, nil), MeterProvider: provider})
	before := values(t, collect(t, reader))
	for range 2 {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	left := counters(collect(t, reader), metricdata.CumulativeTemporality)
	if len(left) == 0 {
		t.Error("the counters are gone")
	}
	for series, value := range values(t, collect(t, reader)) {
		if _, is := left[series]; !is || before[series] != value {
			t.Errorf("%s was %v and is %v after Close", series, before[series], value)
		}
	}
}

func TestFailedNewExportsNothing(t *testing.T) {
	provider, reader := meter(t)
	if _, err := otelvitals.New(otelvitals.Config{Source: staticSource{report()}, MeterProvider: provider, Producer: attachedProducer{}}); err == nil {
		t.Fatal("accepted")
	}
	if left := values(t, collect(t, reader)); len(left) != 0 {
		t.Errorf("exported after New has failed: %v", left)
	}
}

func TestCollectingRunsNoCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0 // of one goroutine at a time, each seen by the next
		checks, err := checker.New(checker.Config{Checks: []checker.Check{{
			Name: "database", Interval: time.Hour, Jitter: -1, Run: func(context.Context) error { runs++; return nil },
		}}})
		if err != nil {
			t.Fatal(err)
		}
		health, err := servicer.New(servicer.Config{Checker: checks})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		go func() { _ = checks.Run(ctx) }()
		go func() { _ = health.Run(ctx) }()
		synctest.Wait()
		provider, reader := meter(t)
		e := exporter(t, otelvitals.Config{Source: health, MeterProvider: provider})
		before := time.Now()
		for range 50 {
			collect(t, reader)
		}
		if waited := time.Since(before); waited != 0 {
			t.Errorf("50 collections waited %v", waited)
		}
		synctest.Wait()
		if got := values(t, collect(t, reader))["vitals.check.runs{vitals.check.name=database,vitals.status=healthy}"]; got != 1 || runs != 1 {
			t.Errorf("exported %v of %d runs, want 1 of 1", got, runs)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		stop()
		synctest.Wait()
	})
}

// One Prometheus may scrape both exporters: no translated name may be one of promvitals'.
func TestNamesDifferFromThoseOfPromvitals(t *testing.T) {
	recorder := traffic(t, map[codes.Code]int{codes.OK: 1})
	collector, err := promvitals.New(promvitals.Config{Source: staticSource{report()}, Recorder: recorder})
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var theirs []string
	for _, f := range families {
		theirs = append(theirs, f.GetName())
	}
	provider, reader := meter(t)
	exporter(t, otelvitals.Config{Source: staticSource{report()}, Recorder: recorder, MeterProvider: provider})
	ours := 0
	for _, scope := range collect(t, reader).ScopeMetrics {
		for _, m := range scope.Metrics {
			ours++
			translated := strings.ReplaceAll(m.Name, ".", "_")
			for _, name := range theirs {
				if strings.HasPrefix(name, translated) {
					t.Errorf("%s can become %s, which promvitals exports", m.Name, name)
				}
			}
			if m.Description == "" {
				t.Errorf("%s has no description", m.Name)
			}
		}
	}
	if ours < 10 || len(theirs) < 10 {
		t.Fatalf("only %d and %d names were compared", ours, len(theirs))
	}
}

func TestConcurrentCollectionsNeverDecrease(t *testing.T) {
	recorder := traffic(t, nil)
	first, second := sdkmetric.NewManualReader(), sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(first), sdkmetric.WithReader(second))
	exporter(t, otelvitals.Config{Source: staticSource{report()}, Recorder: recorder, MeterProvider: provider})
	done := make(chan float64)
	for _, reader := range []*sdkmetric.ManualReader{first, second} {
		go func() {
			last := 0.0
			for range 50 {
				var all metricdata.ResourceMetrics
				if err := reader.Collect(t.Context(), &all); err != nil {
					t.Error(err)
				}
				now := values(t, all)["vitals.rpc.server.calls{rpc.method=shop.v1.Orders/Place,rpc.response.status_code=OK,rpc.status_code=OK}"]
				if now < last {
					t.Errorf("the counter fell from %v to %v", last, now)
				}
				last = now
			}
			done <- last
		}()
	}
	for range 1000 {
		call(t, recorder, "/shop.v1.Orders/Place", codes.OK)
	}
	<-done
	<-done
}

func TestInvalidUTF8OfNamesIsReplaced(t *testing.T) {
	odd := report()
	odd.Checks[0].Name = "invalid \xff\xfe"
	provider, reader := meter(t)
	exporter(t, otelvitals.Config{Source: staticSource{odd}, MeterProvider: provider})
	if _, found := values(t, collect(t, reader))["vitals.check.consecutive_failures{vitals.check.name=invalid \uFFFD}"]; !found {
		t.Error("the name was not made valid UTF-8, which costs OTLP the whole export")
	}
}
