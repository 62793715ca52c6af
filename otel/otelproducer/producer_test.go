package otelproducer_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/otel/otelproducer"
	"github.com/vitals-go/vitals/servicer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newRecorder(t testing.TB) *interceptor.Recorder {
	t.Helper()
	recorder, err := interceptor.New(interceptor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return recorder
}

// post records a call that takes exactly this long in a synctest bubble.
func post(recorder *interceptor.Recorder, client bool, name string, code codes.Code, took time.Duration) {
	call := func() error {
		time.Sleep(took)
		return status.Error(code, "")
	}
	if full := "/shop.v1.Orders/" + name; client {
		_ = recorder.UnaryClientInterceptor(context.Background(), full, nil, nil, nil,
			func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return call() })
	} else {
		_, _ = recorder.UnaryServerInterceptor(context.Background(), nil, &grpc.UnaryServerInfo{FullMethod: full},
			func(context.Context, any) (any, error) { return nil, call() })
	}
}

func attach(t testing.TB, cfg otelproducer.Config, recorder *interceptor.Recorder) *sdkmetric.ManualReader {
	t.Helper()
	producer := otelproducer.New(cfg)
	if err := producer.Attach(nil, recorder); err != nil {
		t.Fatal(err)
	}
	return reader(producer)
}

func reader(producer sdkmetric.Producer) *sdkmetric.ManualReader {
	r := sdkmetric.NewManualReader(sdkmetric.WithProducer(producer))
	sdkmetric.NewMeterProvider(sdkmetric.WithReader(r))
	return r
}

// collect returns what is collected, by name.
func collect(t testing.TB, reader sdkmetric.Reader) map[string]metricdata.Metrics {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	found := map[string]metricdata.Metrics{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			found[m.Name] = m
		}
	}
	return found
}

// The same durations through an ordinary instrument of the SDK, with the bounds of the conventions, are the reference:
// every bucket, count and sum must be the same.
func TestCallDurationsEqualThoseOfAnInstrument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reference := sdkmetric.NewManualReader()
		instrument, err := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reference)).Meter("reference").Float64Histogram(
			"rpc.server.call.duration", metric.WithUnit("s"),
			metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10))
		if err != nil {
			t.Fatal(err)
		}
		recorder := newRecorder(t)
		names := map[codes.Code]string{codes.OK: "OK", codes.NotFound: "NOT_FOUND", codes.Unavailable: "UNAVAILABLE", codes.Canceled: "CANCELLED"}
		random := rand.New(rand.NewPCG(1, 2))
		observe := func(method string, code codes.Code, took time.Duration) {
			post(recorder, false, method, code, took)
			attributes := []attribute.KeyValue{
				attribute.String("rpc.system.name", "grpc"), attribute.String("rpc.method", "shop.v1.Orders/"+method),
				attribute.String("rpc.status_code", names[code]), attribute.String("rpc.response.status_code", names[code]),
			}
			if code == codes.Unavailable {
				attributes = append(attributes, attribute.String("error.type", names[code]))
			}
			instrument.Record(t.Context(), took.Seconds(), metric.WithAttributes(attributes...))
		}
		for range 2000 {
			for code := range names {
				observe([]string{"Get", "List"}[random.IntN(2)], code, time.Duration(random.Int64N(int64(20*time.Second)>>random.IntN(25))))
			}
		}
		for _, bound := range interceptor.CodeBounds() { // what equals a bound is within it
			observe("Get", codes.OK, time.Duration(bound*1e9))
		}
		got := collect(t, attach(t, otelproducer.Config{}, recorder))["rpc.server.call.duration"]
		want := collect(t, reference)["rpc.server.call.duration"]
		if got.Unit != "s" || got.Description == "" {
			t.Errorf("unit %q, description %q", got.Unit, got.Description)
		}
		compare(t, got.Data.(metricdata.Histogram[float64]), want.Data.(metricdata.Histogram[float64]))
	})
}

func compare(t *testing.T, got, want metricdata.Histogram[float64]) {
	t.Helper()
	if got.Temporality != want.Temporality || len(got.DataPoints) != len(want.DataPoints) {
		t.Fatalf("%v with %d points, want %v with %d", got.Temporality, len(got.DataPoints), want.Temporality, len(want.DataPoints))
	}
	for _, w := range want.DataPoints {
		i := slices.IndexFunc(got.DataPoints, func(g metricdata.HistogramDataPoint[float64]) bool { return g.Attributes.Equals(&w.Attributes) })
		if i < 0 {
			t.Errorf("no point has the attributes %v", w.Attributes.ToSlice())
			continue
		}
		g := got.DataPoints[i]
		if g.Count != w.Count || !slices.Equal(g.Bounds, w.Bounds) || !slices.Equal(g.BucketCounts, w.BucketCounts) || !near(g.Sum, w.Sum) {
			t.Errorf("%v:\n got %d, %v s in %v\nwant %d, %v s in %v", w.Attributes.ToSlice(), g.Count, g.Sum, g.BucketCounts, w.Count, w.Sum, w.BucketCounts)
		}
	}
}

// near allows for the order in which the reference adds up its floating-point numbers.
func near(a, b float64) bool { return a-b < 1e-9*b && b-a < 1e-9*b }

func TestErrorTypeOfClientCallsIsAbsentForOK(t *testing.T) {
	recorder := newRecorder(t)
	post(recorder, true, "Get", codes.NotFound, time.Millisecond)
	post(recorder, true, "Get", codes.OK, time.Millisecond)
	all := collect(t, attach(t, otelproducer.Config{}, recorder))
	if _, found := all["rpc.server.call.duration"]; found {
		t.Error("the server has a histogram without a call")
	}
	for _, point := range all["rpc.client.call.duration"].Data.(metricdata.Histogram[float64]).DataPoints {
		code, _ := point.Attributes.Value("rpc.status_code")
		kind, failed := point.Attributes.Value("error.type")
		if failed != (code.AsString() != "OK") || failed && kind.AsString() != "NOT_FOUND" {
			t.Errorf("%s has the error type %q", code.AsString(), kind.AsString())
		}
	}
}

// All points count since the creation of the recorder, so a lost export loses no count.
func TestPointsStartWithTheRecorder(t *testing.T) {
	before := time.Now()
	recorder := newRecorder(t)
	born := time.Now()
	for name, cfg := range map[string]otelproducer.Config{"explicit": {}, "exponential": {Exponential: true}} {
		producer := otelproducer.New(cfg)
		if err := producer.Attach(nil, recorder); err != nil {
			t.Fatal(err)
		}
		// Another reader sees the same.
		for range 3 {
			post(recorder, false, "Get", codes.OK, time.Millisecond)
			post(recorder, false, "Get", codes.Internal, time.Millisecond)
			var start, end time.Time
			var total uint64
			switch data := collect(t, reader(producer))["rpc.server.call.duration"].Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					start, end, total = p.StartTime, p.Time, total+p.Count
				}
			case metricdata.ExponentialHistogram[float64]:
				for _, p := range data.DataPoints {
					start, end, total = p.StartTime, p.Time, total+p.Count
				}
			}
			if start.Before(before) || start.After(born) || end.Before(born) {
				t.Errorf("%s: from %v to %v, want from %v on", name, start, end, before)
			}
			if want := recorder.Server().Total.Handled; total != want {
				t.Errorf("%s: %d calls, want %d", name, total, want)
			}
		}
	}
}

// staticSource returns one report.
type staticSource struct{ report *servicer.Report }

func (s staticSource) Report() *servicer.Report { return s.report }

func (staticSource) Changed() <-chan struct{} { return nil }

// The points of a report that has not changed for long have the time of the collection.
func TestCheckDurations(t *testing.T) {
	started, at, before := time.Unix(100, 0), time.Unix(200, 0), time.Now()
	var runs checker.Runs
	runs.AddRuns(time.Millisecond, 4)
	runs.AddRuns(2*time.Millisecond, 2)
	runs.AddRuns(41*time.Second-8*time.Millisecond, 1)
	producer := otelproducer.New(otelproducer.Config{})
	err := producer.Attach(staticSource{&servicer.Report{Started: started, EvaluatedAt: at, Checks: []*checker.Result{{
		Name: "cache",
		Runs: runs,
	}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := collect(t, reader(producer))["vitals.check.duration"]
	points := got.Data.(metricdata.Histogram[float64]).DataPoints
	if got.Unit != "s" || len(points) != 1 {
		t.Fatalf("%+v", got)
	}
	p := points[0]
	name, _ := p.Attributes.Value("vitals.check.name")
	if name.AsString() != "cache" || p.Count != 7 || p.Sum != 41 || p.BucketCounts[0] != 4 || p.BucketCounts[13] != 1 ||
		len(p.BucketCounts) != len(p.Bounds)+1 || !p.StartTime.Equal(started) || p.Time.Before(before) {
		t.Errorf("%+v", p)
	}
}

func TestAttachFailsWithoutSourcesAndTwice(t *testing.T) {
	producer := otelproducer.New(otelproducer.Config{})
	if got := collect(t, reader(producer)); len(got) != 0 {
		t.Errorf("produced before Attach: %v", got)
	}
	if producer.Attach(nil, nil) == nil {
		t.Error("attached to nothing")
	}
	if err := producer.Attach(nil, newRecorder(t)); err != nil {
		t.Fatal(err)
	}
	if producer.Attach(nil, newRecorder(t)) == nil {
		t.Error("attached twice")
	}
	if got := collect(t, reader(producer)); len(got) != 0 {
		t.Errorf("produced without a call: %v", got)
	}
}
