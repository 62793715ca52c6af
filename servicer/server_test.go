package servicer_test

import (
	"context"
	"fmt"
	"testing"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/servicer"
)

func ExampleNew() {
	health, err := servicer.New(servicer.Config{Services: []string{"shop.v1.Orders"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	health.SetServingStatus("shop.v1.Orders", healthpb.HealthCheckResponse_NOT_SERVING)
	report := health.Report()
	orders, _ := report.Lookup("shop.v1.Orders")
	fmt.Println(report.Phase, report.Overall)
	fmt.Println(orders.Name, orders.Status, orders.Causes[0].Text)
	// Output:
	// ready healthy
	// shop.v1.Orders NOT_SERVING set by the application
}

func TestZeroConfigServesFromBirth(t *testing.T) {
	t.Parallel()
	s, err := servicer.New(servicer.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "liveness", "readiness", "startup"} {
		got, err := s.Check(context.Background(), &healthpb.HealthCheckRequest{Service: name})
		if err != nil || got.Status != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("Check(%q) = %v, %v; want SERVING", name, got, err)
		}
	}
	if r := s.Report(); r.Phase != servicer.Ready || !r.StartupComplete || r.Revision != 1 || len(r.Metrics) != 0 {
		t.Errorf("report = %+v", r)
	}
}
