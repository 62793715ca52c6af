package otelvitals_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	noopmetric "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	otelvitals "github.com/vitals-go/vitals/otel"
	"github.com/vitals-go/vitals/otel/otelproducer"
	"github.com/vitals-go/vitals/servicer"
)

// readers are a delta and a cumulative one of the same provider. They are collected independently.
type readers struct {
	t                 *testing.T
	provider          *sdkmetric.MeterProvider
	delta, cumulative *sdkmetric.ManualReader
	added             map[string]float64 // sums of the deltas
	last              map[string]float64
}

func newReaders(t *testing.T) *readers {
	t.Helper()
	r := &readers{t: t, added: map[string]float64{}, last: map[string]float64{}}
	r.delta = sdkmetric.NewManualReader(sdkmetric.WithTemporalitySelector(sdkmetric.DeltaTemporalitySelector))
	r.cumulative = sdkmetric.NewManualReader()
	r.provider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.delta), sdkmetric.WithReader(r.cumulative))
	return r
}

func counters(all metricdata.ResourceMetrics, of metricdata.Temporality) map[string]float64 {
	found := map[string]float64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok && sum.IsMonotonic && sum.Temporality == of {
				enter(found, m.Name, sum.DataPoints)
			}
		}
	}
	return found
}

func (r *readers) collectDelta() map[string]float64 {
	r.t.Helper()
	got := counters(collect(r.t, r.delta), metricdata.DeltaTemporality)
	for series, delta := range got {
		if delta < 0 {
			r.t.Errorf("%s: the delta is %v", series, delta)
		}
		r.added[series] += delta
	}
	return got
}

func (r *readers) collectCumulative() map[string]float64 {
	r.t.Helper()
	got := counters(collect(r.t, r.cumulative), metricdata.CumulativeTemporality)
	for series, before := range r.last {
		if got[series] < before {
			r.t.Errorf("%s fell from %v to %v", series, before, got[series])
		}
	}
	r.last = got
	return got
}

const orders = "vitals.rpc.server.calls{rpc.method=shop.v1.Orders/Place,rpc.response.status_code=OK,rpc.status_code=OK}"

// A part of a process that a supervisor ends and creates again, with a recorder that begins at zero.
func TestCountersContinueAfterCloseAndNew(t *testing.T) {
	for name, between := range map[string]bool{"collected in between": true, "not collected in between": false} {
		t.Run(name, func(t *testing.T) {
			r := newReaders(t)
			first := exporter(t, otelvitals.Config{Recorder: traffic(t, map[codes.Code]int{codes.OK: 100}), MeterProvider: r.provider})
			if got := r.collectDelta()[orders]; got != 100 {
				t.Errorf("the first delta is %v, want 100", got)
			}
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			if between {
				r.collectDelta()
				r.collectCumulative()
			}
			exporter(t, otelvitals.Config{Recorder: traffic(t, map[codes.Code]int{codes.OK: 5}), MeterProvider: r.provider})
			if got := r.collectDelta()[orders]; got != 5 {
				t.Errorf("the delta after New is %v, want 5", got)
			}
			if got := r.collectCumulative()[orders]; got != 105 {
				t.Errorf("the sum after New is %v, want 105", got)
			}
		})
	}
}

func TestCloseCountsWhatNoCollectionHasSeen(t *testing.T) {
	r := newReaders(t)
	first := exporter(t, otelvitals.Config{Recorder: traffic(t, map[codes.Code]int{codes.OK: 100}), MeterProvider: r.provider})
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	exporter(t, otelvitals.Config{Recorder: traffic(t, map[codes.Code]int{codes.OK: 200}), MeterProvider: r.provider})
	if got := r.collectDelta()[orders]; got != 300 {
		t.Errorf("%v calls, want 300", got)
	}
}

func TestCallsAreNotCountedAgainByANewExporterOfTheSameRecorder(t *testing.T) {
	r := newReaders(t)
	recorder := traffic(t, map[codes.Code]int{codes.OK: 100})
	for range 3 {
		e := exporter(t, otelvitals.Config{Recorder: recorder, MeterProvider: r.provider})
		r.collectDelta()
		call(t, recorder, "/shop.v1.Orders/Place", codes.OK)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		r.collectCumulative()
	}
	r.collectDelta()
	if r.added[orders] != 103 || r.last[orders] != 103 {
		t.Errorf("%v calls by deltas and %v in all, want 103", r.added[orders], r.last[orders])
	}
}

// changingReport is a source whose report the test changes between collections.
type changingReport struct{ now *servicer.Report }

func (c *changingReport) Report() *servicer.Report { return c.now }

func (*changingReport) Changed() <-chan struct{} { return nil }

// Checks and breakers come, go and come again at random, with counts of their own, and exporters are replaced: no counter
// falls, and all of them have the true total, since each reader sees every state of a life.
func TestCountersNeverFallWhateverIsRemovedAndAdded(t *testing.T) {
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test
		r, source := newReaders(t), &changingReport{&servicer.Report{}}
		want := map[string]float64{}
		runs, calls := map[string]uint64{}, map[string]uint64{}
		open := exporter(t, otelvitals.Config{Source: source, MeterProvider: r.provider})
		for range 60 {
			name := string('a' + rune(random.IntN(3)))
			switch random.IntN(6) {
			case 0:
				delete(runs, name)
			case 1:
				delete(calls, name)
			case 2:
				if err := open.Close(); err != nil {
					t.Fatal(err)
				}
				open = exporter(t, otelvitals.Config{Source: source, MeterProvider: r.provider})
			default:
				n := random.Uint64N(100)
				runs[name] += n
				calls[name] += n
				want["vitals.check.runs{vitals.check.name="+name+",vitals.status=healthy}"] += float64(n)
				want["vitals.breaker.calls{vitals.breaker.name="+name+",vitals.breaker.result=rejected}"] += float64(n)
			}
			source.now = stateOf(runs, calls)
			if random.IntN(2) == 0 {
				r.collectDelta()
			}
			r.collectCumulative()
		}
		r.collectDelta()
		for series, n := range want {
			if r.added[series] != n || r.last[series] != n {
				t.Errorf("seed %d: %s is %v by deltas and %v in all, want %v", seed, series, r.added[series], r.last[series], n)
			}
		}
	}
}

func stateOf(runs map[string]uint64, calls map[string]uint64) *servicer.Report {
	r := &servicer.Report{}
	for name, n := range runs {
		result := &checker.Result{Name: name}
		result.Runs.AddResults(checker.Healthy, n)
		r.Checks = append(r.Checks, result)
	}
	for name, n := range calls {
		r.Breakers = append(r.Breakers, breaker.Snapshot{Name: name, Calls: breaker.Calls{Rejected: n}})
	}
	return r
}

// A source of breakers that panics has none in the report, for as long as it does.
func TestBreakersThatCouldNotBeReadAreNotCountedAgain(t *testing.T) {
	r, source := newReaders(t), &changingReport{stateOf(nil, map[string]uint64{"a": 100})}
	exporter(t, otelvitals.Config{Source: source, MeterProvider: r.provider})
	r.collectDelta()
	source.now = &servicer.Report{Metrics: []servicer.Metric{{Name: "circuit_breakers", Status: checker.Critical}}}
	r.collectDelta()
	source.now = stateOf(nil, map[string]uint64{"a": 101})
	series := "vitals.breaker.calls{vitals.breaker.name=a,vitals.breaker.result=rejected}"
	if got := r.collectDelta()[series]; got != 1 {
		t.Errorf("the delta is %v, want 1", got)
	}
}

func TestSecondExporterOfAMeterProviderIsRefused(t *testing.T) {
	provider, reader := meter(t)
	producer := otelproducer.New(otelproducer.Config{})
	first := exporter(t, otelvitals.Config{Recorder: traffic(t, map[codes.Code]int{codes.OK: 3}), MeterProvider: provider})
	_, err := otelvitals.New(otelvitals.Config{Recorder: traffic(t, map[codes.Code]int{codes.OK: 4}), MeterProvider: provider, Producer: producer})
	if err == nil || !strings.Contains(err.Error(), "MeterProvider: another Exporter exports to it") {
		t.Errorf("%v", err)
	}
	if got := values(t, collect(t, reader))[orders]; got != 3 {
		t.Errorf("%v calls, want those of the first", got)
	}
	other, _ := meter(t)
	exporter(t, otelvitals.Config{Recorder: traffic(t, nil), MeterProvider: other, Producer: producer}) // not attached by the refused New
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	exporter(t, otelvitals.Config{Recorder: traffic(t, map[codes.Code]int{codes.OK: 4}), MeterProvider: provider})
	if got := values(t, collect(t, reader))[orders]; got != 7 {
		t.Errorf("%v calls, want those of both", got)
	}
	for range 2 { // which exports nothing
		exporter(t, otelvitals.Config{Recorder: traffic(t, nil), MeterProvider: noopmetric.NewMeterProvider()})
	}
}

func TestCloseDetachesTheProducer(t *testing.T) {
	producer := otelproducer.New(otelproducer.Config{})
	provider, _ := meter(t)
	for _, calls := range []int{100, 5} {
		recorder := traffic(t, map[codes.Code]int{codes.OK: calls})
		e := exporter(t, otelvitals.Config{Recorder: recorder, MeterProvider: provider, Producer: producer})
		if got := produced(t, producer); got != fmt.Sprint(calls, recorder.Server().Started.UnixNano()) {
			t.Errorf("produced %s, want %d calls since the creation of the recorder", got, calls)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		if got := produced(t, producer); got != "" {
			t.Errorf("produced %s after Close", got)
		}
	}
}

// produced returns number and start time of the calls in producer's histograms.
func produced(t *testing.T, producer *otelproducer.Producer) string {
	t.Helper()
	scopes, err := producer.Produce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, scope := range scopes {
		for _, m := range scope.Metrics {
			if h, ok := m.Data.(metricdata.Histogram[float64]); ok && m.Name == "rpc.server.call.duration" {
				return fmt.Sprint(h.DataPoints[0].Count, h.DataPoints[0].StartTime.UnixNano())
			}
		}
	}
	return ""
}
