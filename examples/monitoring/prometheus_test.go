package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

const patience = 2 * time.Minute // The test machine may be slow, and Prometheus gives a scrape half a second.

func seconds(n int) model.Duration { return model.Duration(time.Duration(n) * time.Second) }

// hurried rules tell within seconds.
var hurried = pace{
	Budget: 0.001, MinFailures: 10, Instant: seconds(1), Short: seconds(1), Long: seconds(2),
	Burn5m: seconds(10), Burn30m: seconds(20), Burn1h: seconds(40), Burn6h: seconds(60), Burn3d: seconds(90),
	Silence: seconds(10), Flap: seconds(60), Memory: seconds(60),
}

// call makes n unary calls that end with a code.
func (s *server) call(t *testing.T, n int, code codes.Code) {
	t.Helper()
	for range n {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		_, err := s.client.UnaryCall(ctx, &testpb.SimpleRequest{ResponseStatus: &testpb.EchoStatus{Code: int32(code)}})
		cancel()
		if status.Code(err) != code {
			t.Fatalf("a call that should end with %v ended with %v", code, err)
		}
	}
}

// becomes waits until a query has a value.
func (p *prometheus) becomes(query, want string) {
	p.t.Helper()
	testdeps.Eventually(p.t, patience, func() error {
		got, err := p.number(query)
		if err == nil && got != want {
			err = fmt.Errorf("%s is %s, want %s", query, got, want)
		}
		return err
	})
}

// alerts waits until these alerts fire and no other.
func (p *prometheus) alerts(want ...string) {
	p.t.Helper()
	slices.Sort(want)
	testdeps.Eventually(p.t, patience, func() error {
		firing, err := p.firing()
		if got := slices.Sorted(maps.Keys(firing)); err == nil && !slices.Equal(got, want) {
			err = fmt.Errorf("firing: %q, want %q", got, want)
		}
		return err
	})
}

// TestRealPrometheus asks a real one about three real instances.
func TestRealPrometheus(t *testing.T) {
	t.Parallel()
	each(t, "prometheus", func(t *testing.T, r release) {
		t.Parallel()
		testRealPrometheus(t, r)
	})
}

func testRealPrometheus(t *testing.T, r release) {
	a, b, c := start(t, "1"), start(t, "1"), start(t, "2")
	p := watch(t, r, wish{}, a, b, c)

	// What was counted is what was sent.
	a.call(t, 137, codes.OK)
	b.call(t, 41, codes.OK)
	b.call(t, 13, codes.NotFound)
	c.call(t, 7, codes.PermissionDenied)
	for query, want := range map[string]string{
		`sum(grpc_server_started_total{job="shop"})`:                                                 "198",
		`sum(grpc_server_handled_total{grpc_code="OK"})`:                                             "178",
		`grpc_server_handled_total{grpc_code="OK",grpc_method="UnaryCall",instance="` + a.web + `"}`: "137",
		`grpc_server_handled_total{grpc_code="NotFound",instance="` + b.web + `"}`:                   "13",
		`sum(grpc_server_handled_total{grpc_code="PermissionDenied"})`:                               "7",
		`sum(grpc_server_handling_seconds_count)`:                                                    "198",
		`sum(grpc_server_handling_seconds_bucket{le="+Inf",instance="` + c.web + `"})`:               "7",
		`sum(grpc_server_msg_received_total{instance="` + b.web + `",grpc_method="UnaryCall"})`:      "54",
		`sum(grpc_server_in_flight)`:                                                                 "0",
		`sum(health_status{service="readiness"})`:                                                    "3",
		`count by (version) (health_info{version="1"})`:                                              "2",
		`health_breaker_state{breaker="database",state="closed",instance="` + c.web + `"}`:           "1",
		`job:health_ready:ratio`:                                                                     "1",
	} {
		p.becomes(query, want)
	}
	p.alerts()

	// One instance loses its database: it is told of, and nothing else.
	b.away.Store(true)
	p.alerts("HealthBreakerOpen database@"+b.web, "HealthCheckFailing database@"+b.web, "HealthNotReady @"+b.web)
	p.becomes(`sum(health_status{service="readiness"})`, "2")
	p.showsDashboards(a)
	b.away.Store(false)
	p.alerts()

	// One instance dies without a word.
	c.stop()
	p.alerts("HealthScrapeFailing @" + c.web)

	// Failures burn the budget of their service.
	a.call(t, 50, codes.Internal)
	p.alerts("GrpcErrorBudgetBurnsFast grpc.testing.TestService@", "GrpcErrorBudgetBurnsSlowly grpc.testing.TestService@",
		"HealthScrapeFailing @"+c.web)
}
