package probes_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/broadcast"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
)

// script is a servicer.ReportSource whose reports a test writes.
type script struct {
	reports *broadcast.Value[servicer.Report]
}

func newScript(first *servicer.Report) *script { return &script{broadcast.New(first)} }

func (s *script) Report() *servicer.Report { return s.reports.Load() }

// Changed implements servicer.ReportSource.
func (s *script) Changed() <-chan struct{} { return s.reports.Changed() }

// publish makes report the newest one.
func (s *script) publish(report *servicer.Report) {
	report.Revision = s.Report().Revision + 1
	s.reports.Store(report)
}

// secret is part of raw error texts.
const secret = "hunter2"

// healthyReport is a process with a database, an optional cache, a CPU and a breaker, all healthy.
func healthyReport() *servicer.Report {
	at := time.Now().UTC()
	serving := healthpb.HealthCheckResponse_SERVING
	return &servicer.Report{
		Revision: 1, EvaluatedAt: at, Started: at.Add(-time.Hour), Version: "v1.2.3", Phase: servicer.Ready, StartupComplete: true,
		Overall: checker.Healthy,
		Metrics: []servicer.Metric{
			{Name: "breaker_database", Kind: "breaker", Subject: "database", Value: "closed", Status: checker.Healthy, Reason: checker.ReasonOK},
			{
				Name: "cpu_usage", Kind: "resource", Subject: "cpu_usage", Value: "42.0", Status: checker.Healthy, Reason: checker.ReasonOK, Updated: at,
				Message: "CPU usage at 42.0%", Threshold: "80", Number: 42, Unit: "%",
			},
			{
				Name: "dependency_cache", Kind: "dependency", Subject: "cache", Value: "available", Status: checker.Healthy,
				Reason: checker.ReasonOK, Updated: at,
			},
			{
				Name: "dependency_database", Kind: "dependency", Subject: "database", Value: "available",
				Status: checker.Healthy, Reason: checker.ReasonOK, Message: "Dependency database is available", Updated: at,
			},
		},
		Names: []servicer.ServingName{
			{Name: "", Status: serving},
			{Name: "liveness", Status: serving},
			{Name: "readiness", Status: serving},
			{Name: "startup", Status: serving},
		},
		Checks: []*checker.Result{
			{Name: "cache", Optional: true, Status: checker.Healthy, Reason: checker.ReasonOK, At: at},
			{
				Name: "cpu_usage", Kind: checker.Resource, Status: checker.Healthy, Reason: checker.ReasonOK, At: at,
				Value: "42.0", Measurement: checker.Measurement{Value: 42, Unit: "%"},
				Critical: checker.Above(80),
			},
			{
				Name: "database", Gates: []string{"readiness"}, Status: checker.Healthy, Reason: checker.ReasonOK,
				At: at, Duration: 3 * time.Millisecond, Message: "Dependency database is available",
			},
		},
		Breakers: []breaker.Snapshot{{Name: "database"}},
	}
}

// warningReport has an optional cache that fails.
func warningReport() *servicer.Report {
	r := healthyReport()
	r.Overall = checker.Warning
	r.Checks[0].Status, r.Checks[0].Reason = checker.Warning, checker.ReasonError
	r.Checks[0].Err = errors.New("redis://:" + secret + "@cache")
	m := &r.Metrics[2]
	m.Status, m.Reason, m.Value, m.Detail = checker.Warning, checker.ReasonError, "unavailable", "redis://:"+secret
	return r
}

// neverPassedReport has a database that warns and has never passed, so readiness does not serve.
func neverPassedReport() *servicer.Report {
	r := criticalReport()
	r.Overall = checker.Warning
	r.Checks[2].Status, r.Checks[2].Reason = checker.Warning, checker.ReasonTimeout
	return r
}

// criticalReport has a database that fails and gates readiness.
func criticalReport() *servicer.Report {
	r := healthyReport()
	r.Overall = checker.Critical
	const text = "Dependency database is unavailable"
	r.Checks[2].Status, r.Checks[2].Reason, r.Checks[2].Message = checker.Critical, checker.ReasonError, text
	r.Checks[2].Err = errors.New("postgres://app:" + secret + "@db")
	m := &r.Metrics[3]
	m.Status, m.Reason, m.Value, m.Message = checker.Critical, checker.ReasonError, "unavailable", text
	m.Detail = "postgres://app:" + secret + "@db"
	r.Metrics[0].Status, r.Metrics[0].Detail = checker.Critical, secret
	r.Breakers[0].State, r.Breakers[0].LastFailure = breaker.Open, errors.New(secret)
	cause := servicer.Cause{Check: "database", Reason: checker.ReasonError, Text: text}
	for _, i := range []int{0, 2} {
		r.Names[i].Status = healthpb.HealthCheckResponse_NOT_SERVING
		r.Names[i].Causes = []servicer.Cause{cause}
	}
	r.Transitions = []servicer.Transition{{At: r.EvaluatedAt, Subject: "check/database", From: "healthy", To: "critical", Text: text}}
	return r
}

// startingReport is a process whose database check has not run yet.
func startingReport() *servicer.Report {
	r := criticalReport()
	r.Phase, r.StartupComplete, r.Overall = servicer.Starting, false, checker.Unknown
	r.Names[3].Status = healthpb.HealthCheckResponse_NOT_SERVING
	r.Names[3].Causes = []servicer.Cause{{Reason: checker.ReasonNotRunYet, Text: "starting"}}
	return r
}

// drainingReport is a healthy process that drains.
func drainingReport() *servicer.Report {
	r := healthyReport()
	r.Phase = servicer.Draining
	for _, i := range []int{0, 2, 3} {
		r.Names[i].Status = healthpb.HealthCheckResponse_NOT_SERVING
		r.Names[i].Causes = []servicer.Cause{{Reason: checker.ReasonMaintenance, Text: "draining"}}
	}
	return r
}

func stoppedReport() *servicer.Report {
	r := drainingReport()
	r.Phase = servicer.Stopped
	return r
}

// hangingReport is a process whose main loop hangs.
func hangingReport() *servicer.Report {
	r := healthyReport()
	r.Overall = checker.Critical
	r.Names[1].Status = healthpb.HealthCheckResponse_NOT_SERVING
	r.Names[1].Causes = []servicer.Cause{{Check: "loop", Reason: checker.ReasonTimeout, Text: "Loop check timed out"}}
	return r
}

func newHandler(t testing.TB, cfg probes.HandlerConfig) *probes.Handler {
	t.Helper()
	h, err := probes.NewHandler(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// get sends a GET request to a handler without a network. Headers come in pairs.
func get(t testing.TB, h http.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return send(t, h, http.MethodGet, target, headers...)
}

func send(t testing.TB, h http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
