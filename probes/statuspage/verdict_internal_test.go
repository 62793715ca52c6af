package statuspage

import (
	"testing"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

func TestVerdictLeadsWithWhatServes(t *testing.T) {
	t.Parallel()
	var (
		healthy = &checker.Result{Name: "database", Status: checker.Healthy, Reason: checker.ReasonOK}
		waiting = &checker.Result{Name: "cache", Status: checker.Unknown, Reason: checker.ReasonNotRunYet}
		broken  = &checker.Result{Name: "search", Status: checker.Critical, Reason: checker.ReasonError}
		busy    = &checker.Result{Name: "cpu_usage", Kind: checker.Resource, Status: checker.Warning, Reason: checker.ReasonThreshold}
		serving = []servicer.ServingName{{Name: "readiness", Status: healthpb.HealthCheckResponse_SERVING}}
		because = []servicer.ServingName{{Name: "readiness", Status: healthpb.HealthCheckResponse_NOT_SERVING, Causes: []servicer.Cause{{Check: "search"}}}}
		open    = []servicer.Metric{{Name: "breaker_search", Kind: "breaker", Subject: "search", Status: checker.Critical}}
		slow    = []servicer.Metric{{Name: "avg_response_time", Kind: "requests", Status: checker.Critical}}
		window  = []servicer.Maintenance{{Name: ""}}
	)
	for _, tt := range []struct {
		report      servicer.Report
		class, want string
	}{
		{servicer.Report{Phase: servicer.Ready, Names: serving, Overall: checker.Healthy}, "healthy", "Serving. no checks"},
		{servicer.Report{Phase: servicer.Ready, Names: serving, Overall: checker.Healthy, Checks: []*checker.Result{healthy}}, "healthy", "Serving. the only check passes"},
		{servicer.Report{Phase: servicer.Ready, Names: serving, Overall: checker.Healthy, Checks: []*checker.Result{healthy, healthy}}, "healthy", "Serving. all 2 checks pass"},
		{servicer.Report{Phase: servicer.Ready, Names: serving, Overall: checker.Warning, Checks: []*checker.Result{healthy, busy}}, "warning", "Serving. warning: cpu_usage"},
		{servicer.Report{Phase: servicer.Ready, Names: serving, Overall: checker.Critical, Checks: []*checker.Result{healthy}, Metrics: slow}, "warning", "Serving. critical: avg_response_time; the only check passes"},
		{servicer.Report{Phase: servicer.Ready, Names: serving, Overall: checker.Critical, Checks: []*checker.Result{healthy}, Metrics: open}, "warning", "Serving. critical: breaker_search; the only check passes"},
		{servicer.Report{Phase: servicer.Ready, Names: because, Overall: checker.Critical, Checks: []*checker.Result{healthy, broken, busy}, Metrics: open}, "critical", "Not serving. held back by search; critical: search; warning: cpu_usage"},
		{servicer.Report{Phase: servicer.Ready, Names: because, Overall: checker.Critical, Checks: []*checker.Result{broken, broken, broken, broken, broken}}, "critical", "Not serving. held back by search; critical: search, search, search and 2 more"},
		{servicer.Report{Phase: servicer.Ready, Standby: true, Overall: checker.Healthy, Checks: []*checker.Result{healthy}}, "away", "Standby. the only check passes"},
		{servicer.Report{Phase: servicer.Ready, Maintenance: window, Overall: checker.Healthy, Checks: []*checker.Result{healthy}}, "away", "In maintenance. the only check passes"},
		{servicer.Report{Checks: []*checker.Result{waiting, waiting}}, "unknown", "Starting. waiting for the first result of 2 of 2 checks"},
		{servicer.Report{Overall: checker.Critical, Checks: []*checker.Result{broken, waiting}}, "critical", "Starting. critical: search; waiting for the first result of 1 of 2 checks"},
		{servicer.Report{Phase: servicer.Draining, Overall: checker.Healthy, Checks: []*checker.Result{healthy}}, "away", "Draining. the only check passes"},
		{servicer.Report{Phase: servicer.Stopped, Overall: checker.Healthy, Checks: []*checker.Result{healthy}}, "away", "Stopped. the only check passes"},
	} {
		class, headline := verdict(&tt.report)
		if got := sentence(headline, summarize(&tt.report)); class != tt.class || got != tt.want {
			t.Errorf("%s %q, want %s %q", class, got, tt.class, tt.want)
		}
	}
}
