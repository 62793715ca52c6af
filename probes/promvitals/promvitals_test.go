package promvitals_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer"
)

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
			Err:  errors.New("password=hunter2"),
			Runs: sampleRuns(),
		}},
		Breakers: []breaker.Snapshot{{
			Name: "cache", State: breaker.Open, Transitions: map[breaker.State]uint64{breaker.Closed: 1, breaker.HalfOpen: 2, breaker.Open: 3},
			Calls: breaker.Calls{Successes: 10, Failures: 5, Neutral: 1, Slow: 4, Rejected: 7},
		}},
	}
}

func collector(t *testing.T, config promvitals.Config) *promvitals.Collector {
	t.Helper()
	c, err := promvitals.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestGatherExportsReport(t *testing.T) {
	want := `
health_breaker_calls_total{breaker="cache",result="failure"} 5
health_breaker_calls_total{breaker="cache",result="neutral"} 1
health_breaker_calls_total{breaker="cache",result="rejected"} 7
health_breaker_calls_total{breaker="cache",result="success"} 10
health_breaker_slow_calls_total{breaker="cache"} 4
health_breaker_state{breaker="cache",state="closed"} 0
health_breaker_state{breaker="cache",state="half-open"} 0
health_breaker_state{breaker="cache",state="open"} 1
health_breaker_transitions_total{breaker="cache",state="closed"} 1
health_breaker_transitions_total{breaker="cache",state="half-open"} 2
health_breaker_transitions_total{breaker="cache",state="open"} 3
health_check_consecutive_failures{check="cache"} 2
health_check_duration_seconds_bucket{service="cache",le="0.001"} 4
health_check_duration_seconds_bucket{service="cache",le="0.005"} 6
health_check_duration_seconds_bucket{service="cache",le="30"} 6
health_check_duration_seconds_bucket{service="cache",le="+Inf"} 7
health_check_duration_seconds_sum{service="cache"} 41
health_check_duration_seconds_count{service="cache"} 7
health_check_last_success_timestamp_seconds{check="cache"} 1000.5
health_check_state{check="cache",state="healthy"} 0
health_check_state{check="cache",state="warning"} 1
health_checks_total{service="cache",status="healthy"} 5
health_checks_total{service="cache",status="warning"} 2
health_info{version="1.2.3"} 1
health_phase{phase="draining"} 0
health_phase{phase="ready"} 1
health_probe_state{name="livenes",prober="kubelet",protocol="grpc",state="ok"} 0
health_probe_state{name="livenes",prober="kubelet",protocol="grpc",state="stopped"} 0
health_probe_state{name="livenes",prober="kubelet",protocol="grpc",state="unknown"} 1
health_probes_total{name="livenes",prober="kubelet",protocol="grpc"} 9
health_state{state="critical"} 0
health_state{state="warning"} 1
health_status{service=""} 1
health_status{service="cache"} 0
health_watch_streams 3
`
	page := scrape(t, collector(t, promvitals.Config{Source: staticSource{report()}}))
	for line := range strings.Lines(strings.TrimSpace(want)) {
		if !strings.Contains(page, line) {
			t.Errorf("missing: %s", line)
		}
	}
	if strings.Contains(page, "hunter2") {
		t.Error("the page shows the cause of a failure")
	}
}

func TestPageIsLintClean(t *testing.T) {
	recorder := traffic(t, map[codes.Code]int{codes.OK: 3, codes.Internal: 1})
	problems, err := testutil.CollectAndLint(collector(t, promvitals.Config{Source: staticSource{report()}, Recorder: recorder}))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestInvalidNamesLeaveThePageParseable(t *testing.T) {
	odd := report()
	odd.Names, odd.Checks = nil, nil
	for i, name := range []string{`quo"te`, `back\slash`, "new\nline", "invalid \xff\xfe", "<script>", strings.Repeat("x", 10_000), "}{,=", ""} {
		name := fmt.Sprintf("%d%s", i, name)
		odd.Names = append(odd.Names, servicer.ServingName{Name: name})
		odd.Checks = append(odd.Checks, &checker.Result{Name: name})
	}
	page := scrape(t, collector(t, promvitals.Config{Source: staticSource{odd}}))
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(families["health_status"].GetMetric()); got != 8 {
		t.Errorf("%d names are left of 8", got)
	}
}

func TestNewReportsAllMistakes(t *testing.T) {
	_, err := promvitals.New(promvitals.Config{Buckets: []float64{1, math.NaN(), 0.5}})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, word := range []string{"Source", "NaN", "sorted"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is missing in: %v", word, err)
		}
	}
}

func TestHandlerResponds200WhenCritical(t *testing.T) {
	critical := report()
	critical.Overall, critical.Phase = checker.Critical, servicer.Draining
	handler, err := promvitals.Handler(collector(t, promvitals.Config{Source: staticSource{critical}}))
	if err != nil {
		t.Fatal(err)
	}
	if page := get(t, handler, "*/*").Body.String(); !strings.Contains(page, `health_phase{phase="draining"} 1`) {
		t.Error("got no phase draining on the page")
	}
}

func TestTwoCollectorsAreIndependent(t *testing.T) {
	a, b := prometheus.NewRegistry(), prometheus.NewRegistry()
	if err := errors.Join(a.Register(collector(t, promvitals.Config{Source: staticSource{report()}})), b.Register(collector(t, promvitals.Config{Source: staticSource{report()}}))); err != nil {
		t.Fatal(err)
	}
}

func scrape(t *testing.T, c prometheus.Collector) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var page strings.Builder
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&page, family); err != nil {
			t.Fatal(err)
		}
	}
	return page.String()
}

type services map[string]grpc.ServiceInfo

func (s services) GetServiceInfo() map[string]grpc.ServiceInfo { return s }

// traffic returns a recorder that has seen so many unary calls end with each code.
func traffic(t *testing.T, calls map[codes.Code]int) *interceptor.Recorder {
	t.Helper()
	recorder, err := interceptor.New(interceptor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	recorder.Register(services{"shop.v1.Orders": {Methods: []grpc.MethodInfo{{Name: "Place"}}}})
	for code, n := range calls {
		for range n {
			serve(t, recorder, code)
		}
	}
	return recorder
}

// serve makes one call that ends with code.
func serve(t *testing.T, recorder *interceptor.Recorder, code codes.Code) {
	t.Helper()
	_, _ = recorder.UnaryServerInterceptor(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Place"},
		func(context.Context, any) (any, error) { return nil, status.Error(code, "") })
}

func TestGatherExportsCalls(t *testing.T) {
	recorder := traffic(t, map[codes.Code]int{codes.OK: 30, codes.NotFound: 4, codes.Internal: 2})
	page := scrape(t, collector(t, promvitals.Config{Recorder: recorder}))
	const labels = `grpc_method="Place",grpc_service="shop.v1.Orders",grpc_type="unary"`
	for _, want := range []string{
		"grpc_server_started_total{" + labels + "} 36\n",
		`grpc_server_handled_total{grpc_code="OK",` + labels + "} 30\n",
		`grpc_server_handled_total{grpc_code="NotFound",` + labels + "} 4\n",
		`grpc_server_handled_total{grpc_code="Internal",` + labels + "} 2\n",
		`grpc_server_handled_total{grpc_code="Unavailable",` + labels + "} 0\n", // a rate must see the first failure
		"grpc_server_handling_seconds_count{" + labels + "} 36\n",
		"grpc_server_handling_seconds_bucket{" + labels + `,le="10"} 36` + "\n",
		"grpc_server_in_flight{" + labels + "} 0\n",
		"grpc_server_panics_total{" + labels + "} 0\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if strings.Contains(page, `grpc_code="Aborted"`) {
		t.Error("a code that never came has a series")
	}
}

// A rate must see the first failure of a method whose first call fails.
func TestFailureCodesHaveASeriesDuringTheFirstCall(t *testing.T) {
	recorder := traffic(t, nil)
	c := collector(t, promvitals.Config{Recorder: recorder})
	const series = `grpc_server_handled_total{grpc_code="Unavailable",`
	if strings.Contains(scrape(t, c), series) {
		t.Error("a series before the first call")
	}
	_, _ = recorder.UnaryServerInterceptor(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Place"},
		func(context.Context, any) (any, error) {
			if !strings.Contains(scrape(t, c), series) {
				t.Error("no series during the first call")
			}
			return nil, nil
		})
}

func ExampleHandler() {
	recorder, err := interceptor.New(interceptor.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	health, err := servicer.New(servicer.Config{Recorder: recorder})
	if err != nil {
		fmt.Println(err)
		return
	}
	collector, err := promvitals.New(promvitals.Config{Source: health, Recorder: recorder})
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := promvitals.Handler(collector)
	if err != nil {
		fmt.Println(err)
		return
	}
	response := httptest.NewRecorder()
	page.ServeHTTP(response, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(response.Body.String()) {
		if strings.HasPrefix(line, "health_status") {
			fmt.Print(line)
		}
	}
	// Output:
	// health_status{service=""} 1
	// health_status{service="liveness"} 1
	// health_status{service="readiness"} 1
	// health_status{service="startup"} 1
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

// Calls of 2 and of 45 minutes would fall into one bucket, whatever its bound.
func TestBucketsBeyondTheRecordersAreRefused(t *testing.T) {
	for _, buckets := range [][]float64{{1, 100.1}, {300}, {math.Inf(1)}} {
		if _, err := promvitals.New(promvitals.Config{Recorder: traffic(t, nil), Buckets: buckets}); err == nil || !strings.Contains(err.Error(), "Buckets[") {
			t.Errorf("%v: got %v, want an error that names the bound", buckets, err)
		}
	}
	if _, err := promvitals.New(promvitals.Config{Recorder: traffic(t, nil), Buckets: []float64{1, 100}}); err != nil {
		t.Error(err)
	}
}
