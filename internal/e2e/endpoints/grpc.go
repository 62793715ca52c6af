package endpoints

import (
	"context"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/e2e/oracle"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

func (e *Endpoints) compareCheck(ctx context.Context, c *oracle.Comparison) {
	compareNames(ctx, c, "Check", e.Health)
}

func (e *Endpoints) compareSecond(ctx context.Context, c *oracle.Comparison) {
	compareNames(ctx, c, "Check (second listener)", e.Second)
}

func compareNames(ctx context.Context, c *oracle.Comparison, endpoint string, client healthpb.HealthClient) {
	got := map[string]string{}
	for name := range c.Names {
		resp, err := client.Check(ctx, &healthpb.HealthCheckRequest{Service: name})
		if err != nil {
			c.Failed(endpoint, err)
			return
		}
		got[name] = resp.GetStatus().String()
	}
	c.Statuses(endpoint, got)
	_, err := client.Check(ctx, &healthpb.HealthCheckRequest{Service: "nobody"})
	c.Equal(endpoint, "an unknown name", status.Code(err).String(), codes.NotFound.String())
}

func (e *Endpoints) compareList(ctx context.Context, c *oracle.Comparison) {
	resp, err := e.Health.List(ctx, &healthpb.HealthListRequest{})
	if err != nil {
		c.Failed("List", err)
		return
	}
	got := map[string]string{}
	for name, response := range resp.GetStatuses() {
		got[name] = response.GetStatus().String()
	}
	c.Statuses("List", got)
}

func (e *Endpoints) compareReport(ctx context.Context, c *oracle.Comparison) {
	report, err := e.Reports.GetHealthReport(ctx, &vitalspb.HealthReportRequest{IncludeMethods: true})
	if err != nil {
		c.Failed("GetHealthReport", err)
		return
	}
	CompareReport(c, "GetHealthReport", report)
	at, err := time.Parse(time.RFC3339Nano, report.GetTimestamp())
	off := time.Until(at.Add(-c.ClockAhead)).Abs()
	if c.Uptime > 0 {
		up := time.Duration(report.GetUptimeSeconds() * float64(time.Second))
		c.Check("GetHealthReport", "uptime", up.String(), c.Uptime.String(), (up-c.Uptime).Abs() < Timeout+3*time.Second)
	}
	evaluated, evaluatedErr := time.Parse(time.RFC3339Nano, report.GetEvaluatedAt())
	old := time.Until(evaluated.Add(-c.ClockAhead)).Abs()
	c.Check("GetHealthReport", "evaluated_at", report.GetEvaluatedAt(), "our time", evaluatedErr == nil && old < Timeout+2*time.Second)
	c.Check("GetHealthReport", "timestamp", report.GetTimestamp(), "our time", err == nil && off < Timeout+2*time.Second)
}

// CompareReport compares a report with what is expected, and with itself.
func CompareReport(c *oracle.Comparison, endpoint string, report *vitalspb.HealthReportResponse) {
	c.Equal(endpoint, "phase", report.GetPhase(), "ready")
	statuses := map[string]string{}
	for name, metric := range report.GetMetrics() {
		statuses[name] = metric.GetStatus()
	}
	compareMetrics(c, endpoint, report.GetOverallStatus(), statuses)
	for name, want := range c.Breakers {
		got := report.GetMetrics()["breaker_"+name].GetValue()
		c.Check(endpoint, "breaker "+name, got, want, got == want || want == "open" && got == "half-open")
	}
	names := map[string]string{}
	for _, name := range report.GetNames() {
		names[name.GetName()] = name.GetStatus()
	}
	c.Statuses(endpoint, names)
}

// compareMetrics compares the statuses of a report's metrics, of which the overall status must be the worst.
func compareMetrics(c *oracle.Comparison, endpoint, overall string, statuses map[string]string) {
	checks, worst := map[string]string{}, 0
	for name := range c.Checks {
		checks[name] = statuses["dependency_"+name]
	}
	for _, status := range statuses {
		worst = max(worst, slices.Index(oracle.Statuses(), status))
	}
	c.Report(endpoint, overall, checks)
	c.Equal(endpoint, "the overall status", overall, oracle.Statuses()[worst])
}
