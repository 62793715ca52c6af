package browser_test

import (
	"errors"
	"fmt"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/servicer"
)

// states are the states in which a reader may find the page, by the word that heads it.
var states = map[string]func() *servicer.Report{
	"healthy":  healthyReport,
	"warning":  warningReport,
	"critical": criticalReport,
	"draining": drainingReport,
	"starting": startingReport,
}

// emptyReport is that of a server without checks and calls.
func emptyReport() *servicer.Report {
	r := healthyReport()
	r.Checks, r.Breakers, r.Requests = nil, nil, nil
	return r
}

// healthyReport is that of a shop with everything that a page can show.
func healthyReport() *servicer.Report {
	now := time.Now().UTC()
	r := &servicer.Report{
		Revision: 1, EvaluatedAt: now, Started: now.Add(-26 * time.Hour), Version: "1.4.2", Phase: servicer.Ready, StartupComplete: true,
		Overall: checker.Healthy, WatchStreams: 12, Requests: requests(now, 42, 0, 3*time.Millisecond),
	}
	for _, name := range []string{"cache", "database", "payments", "search"} {
		r.Checks = append(r.Checks, &checker.Result{
			Name: name, Optional: name == "cache", Status: checker.Healthy, Reason: checker.ReasonOK, Value: "available",
			Message: "Dependency " + name + " is available", Since: r.Started, At: now.Add(-2 * time.Second), Duration: 1300 * time.Microsecond,
		})
		r.Breakers = append(r.Breakers, breaker.Snapshot{Name: name, Since: r.Started, Calls: breaker.Calls{Successes: 1234}})
	}
	for i, name := range []string{"cpu_usage", "memory_usage"} {
		value := 42 + 21*float64(i)
		r.Checks = append(r.Checks, &checker.Result{
			Name: name, Kind: checker.Resource, Status: checker.Healthy, Reason: checker.ReasonOK, Value: fmt.Sprintf("%.1f", value), Title: name,
			Message: fmt.Sprintf("%s at %.1f%% of the cgroup limit", name, value), Since: r.Started, At: now, Duration: time.Millisecond,
			Measurement: checker.Measurement{Value: value, Unit: "%", Source: "of the cgroup limit"}, Critical: checker.Above(80),
		})
	}
	for _, name := range []string{"", "liveness", "readiness", "shop.v1.Orders", "startup"} {
		r.Names = append(r.Names, servicer.ServingName{Name: name, Status: healthpb.HealthCheckResponse_SERVING})
	}
	r.Transitions = []servicer.Transition{
		{Seq: 3, At: now.Add(-time.Hour), Subject: "name/readiness", From: "NOT_SERVING", To: "SERVING", Names: []string{"", "readiness", "shop.v1.Orders"}},
		{Seq: 2, At: now.Add(-time.Hour), Subject: "overall", From: "critical", To: "healthy", PreviousFor: 3 * time.Minute, Text: "every check passes"},
		{Seq: 1, At: now.Add(-2 * time.Hour), Subject: "phase", From: "starting", To: "ready", Text: "the process is ready"},
	}
	return r
}

// warningReport is that of a shop whose optional cache has gone.
func warningReport() *servicer.Report {
	r := healthyReport()
	r.Overall = checker.Warning
	fail(r, 0, checker.Warning, checker.ReasonError, "Dependency cache is unavailable", "dial tcp 10.0.0.7:6379: connection refused")
	r.Breakers[0].State, r.Breakers[0].LastFailure = breaker.HalfOpen, errors.New("dial tcp 10.0.0.7:6379: connection refused")
	r.Transitions = append([]servicer.Transition{
		{Seq: 4, At: r.EvaluatedAt, Subject: "check/cache", From: "healthy", To: "warning", Text: "Dependency cache is unavailable"},
	}, r.Transitions...)
	return r
}

// criticalReport is that of a shop without its database, in which much else is wrong too.
func criticalReport() *servicer.Report {
	r := warningReport()
	r.Overall = checker.Critical
	fail(r, 1, checker.Critical, checker.ReasonTimeout, "Dependency database check timed out", "context deadline exceeded: SELECT 1")
	fail(r, 3, checker.Unknown, checker.ReasonStale, "Dependency search has no recent result", "")
	r.Breakers[1].State, r.Breakers[1].RetryAt = breaker.Open, r.EvaluatedAt.Add(20*time.Second)
	r.Breakers[1].Calls.Rejected, r.Breakers[1].LastFailure = 56, errors.New("context deadline exceeded")
	r.Breakers[2].Forced, r.Breakers[2].ForcedReason = true, "rehearsal"
	memory := r.Checks[len(r.Checks)-1]
	memory.Status, memory.Reason, memory.Failures = checker.Critical, checker.ReasonThreshold, 9
	memory.Value, memory.Measurement.Value, memory.Message = "88.0", 88, "memory_usage at 88.0% of the cgroup limit"
	r.Metrics = []servicer.Metric{{
		Name: "request_success_rate", Kind: "requests", Value: "91.0", Status: checker.Critical, Reason: checker.ReasonThreshold,
		Message: "Success rate at 91.0%", Updated: r.EvaluatedAt, Since: r.EvaluatedAt,
	}}
	r.Maintenance = []servicer.Maintenance{{Name: "shop.v1.Orders", Reason: "moving house", Until: r.EvaluatedAt.Add(time.Hour)}}
	r.Requests = requests(r.EvaluatedAt, 40, 9, 210*time.Millisecond)
	refuse(r, servicer.Cause{Check: "database", Reason: checker.ReasonTimeout, Text: "Dependency database check timed out"})
	r.Transitions = append([]servicer.Transition{
		{Seq: 6, At: r.EvaluatedAt, Subject: "breaker/database", From: "closed", To: "open", Text: "5 failures in a row"},
		{Seq: 5, At: r.EvaluatedAt, Subject: "check/database", From: "healthy", To: "critical", Text: "Dependency database check timed out"},
	}, r.Transitions...)
	return r
}

// drainingReport is that of a healthy shop on its way out.
func drainingReport() *servicer.Report {
	r := healthyReport()
	r.Phase = servicer.Draining
	refuse(r, servicer.Cause{Text: "draining"})
	return r
}

// startingReport is that of a shop that has just begun.
func startingReport() *servicer.Report {
	r := healthyReport()
	r.Phase, r.StartupComplete, r.Overall, r.Started = servicer.Starting, false, checker.Unknown, r.EvaluatedAt
	for _, check := range r.Checks {
		*check = checker.Result{Name: check.Name, Kind: check.Kind, Message: "Dependency " + check.Name + " has not been checked yet", Reason: checker.ReasonNotRunYet}
	}
	r.Requests, r.Breakers, r.Transitions = nil, nil, nil
	refuse(r, servicer.Cause{Reason: checker.ReasonNotRunYet, Text: "starting"})
	return r
}

func fail(r *servicer.Report, i int, status checker.Status, reason checker.Reason, message, cause string) {
	check := r.Checks[i]
	check.Status, check.Reason, check.Message, check.Failures = status, reason, message, 7
	check.Value, check.Since = "unavailable", r.EvaluatedAt.Add(-3*time.Minute)
	if cause != "" {
		check.Err = errors.New(cause)
	}
}

// refuse makes all names but liveness not serve.
func refuse(r *servicer.Report, because servicer.Cause) {
	for i := range r.Names {
		if r.Names[i].Name != checker.Liveness {
			r.Names[i].Status, r.Names[i].Causes = healthpb.HealthCheckResponse_NOT_SERVING, []servicer.Cause{because}
		}
	}
}

func requests(at time.Time, perSecond, failures uint64, p50 time.Duration) *interceptor.Snapshot {
	return &interceptor.Snapshot{
		Time: at, Total: interceptor.Stats{Started: 100_000, Handled: 99_993},
		Window: interceptor.Window{
			Span: time.Minute, Requests: 60 * perSecond, Failures: 60 * perSecond * failures / 100, LatencySamples: 60 * perSecond,
			P50: p50, P90: 3 * p50, P99: 8 * p50,
		},
	}
}

// pastOf returns reports from before another one, oldest first: runs of its checks, and of its requests, that differ.
func pastOf(newest *servicer.Report) []*servicer.Report {
	const n = 48
	var past []*servicer.Report
	for i := range n {
		r := *newest
		r.Revision, r.Checks = uint64(i+1), nil
		back := time.Duration(n-i) * 5 * time.Second
		for j, check := range newest.Checks {
			run := *check
			if run.At.IsZero() {
				continue
			}
			run.At, run.Duration = run.At.Add(-back), run.Duration*time.Duration(1+(i*7+j*3)%5)
			if i < n*2/3 {
				run.Status = checker.Healthy
			}
			r.Checks = append(r.Checks, &run)
		}
		if newest.Requests != nil {
			w := newest.Requests.Window
			r.Requests = requests(r.EvaluatedAt.Add(-back), w.Requests/60+uint64(i*5%11), 0, w.P50*time.Duration(3+i%3)/3)
		}
		past = append(past, &r)
	}
	newest.Revision = n + 1
	return past
}
