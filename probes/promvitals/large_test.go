package promvitals_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

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
		r.Names = append(r.Names, servicer.Name{Name: name, Status: healthpb.HealthCheckResponse_SERVING})
		r.Checks = append(r.Checks, &checker.Result{
			Name: name, Status: checker.Healthy, LastSuccess: time.Unix(2000, 0), Measurement: checker.Measurement{Value: 1, Unit: "%"},
		})
		r.Breakers = append(r.Breakers, breaker.Snapshot{Name: name})
	}
	return r
}

func TestLargestPageIsBoundedAndParses(t *testing.T) {
	const methods, checks = 1000, 200
	recorder, err := interceptor.New(interceptor.Config{MaxMethods: -1})
	if err != nil {
		t.Fatal(err)
	}
	described := make([]grpc.MethodInfo, methods)
	for i := range described {
		described[i].Name = fmt.Sprintf("Method%d", i)
	}
	recorder.Register(services{"shop.v1.Orders": {Methods: described}})
	for i := range described {
		info := &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/" + described[i].Name}
		for code := range codes.Code(interceptor.Codes) {
			_, _ = recorder.UnaryServer(t.Context(), nil, info, func(context.Context, any) (any, error) { return nil, status.Error(code, "") })
		}
	}
	handler, err := promvitals.Handler(collector(t, promvitals.Config{Health: told{large(checks)}, Recorder: recorder}))
	if err != nil {
		t.Fatal(err)
	}
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, httptest.NewRequest("GET", "/metrics", nil))
	page := response.Body.String()
	const limit = 10 << 20
	if len(page) > limit {
		t.Errorf("the page has %d bytes, want at most %d", len(page), limit)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{
		"grpc_server_handled_total": methods * interceptor.Codes, "grpc_server_handling_seconds": methods,
		"health_check_state": checks * 4, "health_status": checks, "health_breaker_calls_total": checks * 4,
	} {
		if got := len(families[name].GetMetric()); got != want {
			t.Errorf("%s has %d series, want %d", name, got, want)
		}
	}
}
