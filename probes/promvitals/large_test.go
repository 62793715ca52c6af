package promvitals_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
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

// large is a report of n checks that measure, each with a breaker and a name of the health service.
func large(n int) *servicer.Report {
	r := &servicer.Report{Phase: servicer.Ready, Overall: checker.Healthy, Started: time.Unix(1000, 0)}
	for i := range n {
		name := fmt.Sprintf("dependency-%03d", i)
		r.Names = append(r.Names, servicer.ServingName{Name: name, Status: healthpb.HealthCheckResponse_SERVING})
		r.Checks = append(r.Checks, &checker.Result{
			Name: name, Status: checker.Healthy, LastSuccess: time.Unix(2000, 0), Measurement: checker.Measurement{Value: 1, Unit: "%"},
			CausedBy: name, Values: []checker.Value{{Name: "lag" + name, Number: 1, Unit: "s"}},
		})
		r.Breakers = append(r.Breakers, breaker.Snapshot{Name: name})
		r.Probers = append(r.Probers, servicer.Prober{Name: name, Kind: "kubelet", Protocol: "grpc"})
	}
	return r
}

// oddNames are parts of names that are hostile, and that must not end a page or a line.
var oddNames = []string{`"`, `\`, "\n", "\xff", "\xfe", "}{,=", "# EOF", "\u2028", "<b>", ""}

// TestLargestPageIsBoundedAndParses has 1,000 methods that have ended in all ways, and 200 checks, all with odd names.
func TestLargestPageIsBoundedAndParses(t *testing.T) {
	const methods, checks = 1000, 200
	recorder, err := interceptor.New(interceptor.Config{MaxMethods: -1})
	if err != nil {
		t.Fatal(err)
	}
	described := make([]grpc.MethodInfo, methods)
	for i := range described {
		described[i].Name = fmt.Sprintf("Method%d%s", i, oddNames[i%len(oddNames)])
	}
	recorder.Register(services{"shop.v1.Orders": {Methods: described}})
	for i := range described {
		info := &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/" + described[i].Name}
		for code := range codes.Code(interceptor.NumCodes) {
			_, _ = recorder.UnaryServerInterceptor(t.Context(), nil, info, func(context.Context, any) (any, error) { return nil, status.Error(code, "") })
		}
	}
	report := large(checks)
	for i := range checks {
		odd := report.Names[i].Name + oddNames[i%len(oddNames)]
		report.Names[i].Name, report.Checks[i].Name, report.Breakers[i].Name = odd, odd, odd
	}
	handler, err := promvitals.Handler(collector(t, promvitals.Config{Source: staticSource{report}, Recorder: recorder, NativeHistograms: true}))
	if err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	inText, err := parser.TextToMetricFamilies(bounded(t, handler, text))
	if err != nil {
		t.Fatal(err)
	}
	bounded(t, handler, protobuf)
	for format, families := range map[string]map[string]*dto.MetricFamily{"text": inText, "protobuf": decoded(t, handler)} {
		for name, want := range map[string]int{
			"grpc_server_handled_total": methods * interceptor.NumCodes, "grpc_server_handling_seconds": methods,
			"health_check_state": checks * 4, "health_status": checks, "health_breaker_calls_total": checks * 4,
		} {
			if got := len(families[name].GetMetric()); got != want {
				t.Errorf("%s in %s has %d series, want %d", name, format, got, want)
			}
		}
	}
	// No parser for OpenMetrics is here (Prometheus reads it in examples/monitoring): every line must at least be a sample or a comment.
	last := ""
	lines := bufio.NewScanner(bounded(t, handler, openMetrics))
	for lines.Scan() {
		last = lines.Text()
		if !openMetricsLine.MatchString(last) {
			t.Fatalf("not a line of OpenMetrics: %q", last)
		}
	}
	if last != "# EOF" {
		t.Errorf("the page ends with %q", last)
	}
}

var openMetricsLine = regexp.MustCompile(`^(# (EOF|(HELP|TYPE|UNIT) \S+ .*)|[a-z_]+(\{([a-z_]+="([^"\\]|\\["\\n])*",?)*\})? [0-9.e+-]+)$`)

// bounded returns a page, which must not be larger than what Prometheus reads within a second.
func bounded(t *testing.T, handler http.Handler, accept string) io.Reader {
	t.Helper()
	page := get(t, handler, accept).Body
	const limit = 10 << 20
	if page.Len() > limit {
		t.Errorf("the page has %d bytes, want at most %d", page.Len(), limit)
	}
	return page
}
