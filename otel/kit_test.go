package otelvitals_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	otelvitals "github.com/vitals-go/vitals/otel"
	"github.com/vitals-go/vitals/servicer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// staticSource returns one report.
type staticSource struct{ report *servicer.Report }

func (s staticSource) Report() *servicer.Report { return s.report }

func (staticSource) Changed() <-chan struct{} { return nil }

func report() *servicer.Report {
	return &servicer.Report{
		Version: "1.2.3", Phase: servicer.Ready, Overall: checker.Warning, WatchStreams: 3,
		Probers: []servicer.Prober{{Kind: "kubelet", Protocol: "grpc", Name: "livenes", Unknown: true, Requests: 9, Answer: "NOT_FOUND"}},
		Names: []servicer.ServingName{
			{Name: "", Status: healthpb.HealthCheckResponse_SERVING},
			{Name: "cache", Status: healthpb.HealthCheckResponse_NOT_SERVING},
		},
		Checks: []*checker.Result{{
			Name: "cache", Status: checker.Warning, Reason: checker.ReasonError, Failures: 2, LastSuccess: time.Unix(1000, 500e6),
			Err: errors.New("password=hunter2"), Measurement: checker.Measurement{Value: 41.5, Unit: "%"},
			Runs: sampleRuns(),
		}},
		Breakers: []breaker.Snapshot{{
			Name: "cache", State: breaker.Open, Transitions: map[breaker.State]uint64{breaker.Closed: 1, breaker.HalfOpen: 2, breaker.Open: 3},
			Calls:       breaker.Calls{Successes: 10, Failures: 5, Neutral: 1, Slow: 4, Rejected: 7},
			LastFailure: errors.New("password=hunter2"),
		}},
	}
}

// meter returns a MeterProvider and its reader.
func meter(t testing.TB, options ...sdkmetric.ManualReaderOption) (*sdkmetric.MeterProvider, *sdkmetric.ManualReader) {
	t.Helper()
	reader := sdkmetric.NewManualReader(options...)
	return sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)), reader
}

func exporter(t testing.TB, cfg otelvitals.Config) *otelvitals.Exporter {
	t.Helper()
	e, err := otelvitals.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func collect(t testing.TB, reader sdkmetric.Reader) metricdata.ResourceMetrics {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// values maps name{attributes} to the value of each sum and gauge, with rpc.system.name left out.
func values(t testing.TB, all metricdata.ResourceMetrics) map[string]float64 {
	t.Helper()
	found := map[string]float64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				if data.Temporality != metricdata.CumulativeTemporality {
					t.Errorf("%s is not cumulative", m.Name)
				}
				enter(found, m.Name, data.DataPoints)
			case metricdata.Gauge[float64]:
				enter(found, m.Name, data.DataPoints)
			default:
				t.Errorf("%s has data of type %T", m.Name, data)
			}
		}
	}
	return found
}

func enter[N int64 | float64](found map[string]float64, name string, points []metricdata.DataPoint[N]) {
	for _, p := range points {
		var labels []string
		for _, kv := range p.Attributes.ToSlice() { // sorted by key
			if kv.Key != "rpc.system.name" {
				labels = append(labels, string(kv.Key)+"="+kv.Value.String())
			}
		}
		found[name+"{"+strings.Join(labels, ",")+"}"] = float64(p.Value)
	}
}

type services map[string]grpc.ServiceInfo

func (s services) GetServiceInfo() map[string]grpc.ServiceInfo { return s }

// traffic returns a recorder of so many unary calls with each code.
func traffic(t testing.TB, calls map[codes.Code]int) *interceptor.Recorder {
	t.Helper()
	recorder, err := interceptor.New(interceptor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	recorder.Register(services{"shop.v1.Orders": {Methods: []grpc.MethodInfo{{Name: "Place"}}}})
	for code, n := range calls {
		for range n {
			call(t, recorder, "/shop.v1.Orders/Place", code)
		}
	}
	return recorder
}

func call(t testing.TB, recorder *interceptor.Recorder, name string, code codes.Code) {
	t.Helper()
	_, _ = recorder.UnaryServerInterceptor(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: name},
		func(context.Context, any) (any, error) { return nil, status.Error(code, "") })
}

// sampleRuns are 7 results, and 7 runs that took 41 s.
func sampleRuns() checker.Runs {
	var runs checker.Runs
	runs.AddResults(checker.Healthy, 5)
	runs.AddResults(checker.Warning, 2)
	runs.AddRuns(time.Millisecond, 4)
	runs.AddRuns(2*time.Millisecond, 2)
	runs.AddRuns(41*time.Second-8*time.Millisecond, 1)
	return runs
}
