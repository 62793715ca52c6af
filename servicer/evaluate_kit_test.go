package servicer

import (
	"errors"
	"strings"
	"testing"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
)

// noon is when these tests evaluate.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func plainEvaluator() *evaluator {
	return &evaluator{started: noon.Add(-time.Hour), version: "1.2.3", requests: RequestPolicy{}.withDefaults()}
}

// reportOf evaluates in without an evaluation before.
func (ev *evaluator) reportOf(in *inputs) *Report {
	e := ev.evaluate(in)
	return ev.report(in, e, e.names(in.manual, ev.knownNames(in), nil, in.now))
}

// history is a tracker with the report that it has tracked last.
type history struct {
	*tracker

	last *Report
}

func newHistory(size int) *history { return &history{tracker: newTracker(size)} }

// track evaluates in and tracks the report.
func (h *history) track(in *inputs) (*Report, []Transition) {
	ev := plainEvaluator()
	e := ev.evaluate(in)
	var names []ServingName
	if h.last != nil {
		names = h.last.Names
	}
	r := ev.report(in, e, e.names(in.manual, ev.knownNames(in), names, in.now))
	found := h.tracker.track(h.last, r)
	h.last = r
	return r, found
}

// ready are the inputs of a process that has started.
func ready(checks ...*checker.Result) *inputs {
	return &inputs{now: noon, phase: Ready, startup: startup{over: true}, readings: readings{checks: checks}}
}

// result is that of a check that has passed before.
func result(name string, status checker.Status, reason checker.Reason, gates ...string) *checker.Result {
	return &checker.Result{
		LastSuccess: noon.Add(-time.Hour), Name: name, Title: "Dependency " + name, Message: "Dependency " + name + " is judged", Gates: gates,
		Status: status, Reason: reason, At: noon.Add(-time.Second), Since: noon.Add(-time.Minute),
		Expires: noon.Add(time.Minute),
	}
}

func optional(r *checker.Result) *checker.Result {
	r.Optional = true
	return r
}

func resource(r *checker.Result) *checker.Result {
	r.Kind = checker.Resource
	r.Title = r.Name
	return r
}

func process(r *checker.Result) *checker.Result {
	r.Kind = checker.Process
	return r
}

var errSecret = errors.New("dial postgres://user:hunter2@db: refused")

// calls is a recorder's snapshot of one unary method of a service.
func calls(window interceptor.Window) *interceptor.Snapshot {
	stats := interceptor.Stats{Started: window.Requests, Handled: window.Requests, Failures: window.Failures}
	return &interceptor.Snapshot{
		Time: noon, Total: stats, Window: window,
		Methods: []interceptor.Method{{
			Service: "shop.v1.Orders", Name: "Get", Type: interceptor.Unary, Total: stats, Window: window,
		}},
	}
}

func mustMetric(t *testing.T, r *Report, name string) *Metric {
	t.Helper()
	m, found := r.Metric(name)
	if !found {
		t.Fatalf("no metric %q in %v", name, metricNames(r))
	}
	return m
}

func metricNames(r *Report) []string {
	names := make([]string, len(r.Metrics))
	for i, m := range r.Metrics {
		names[i] = m.Name
	}
	return names
}

// servingNames lists the names that serve.
func servingNames(r *Report) string {
	var names []string
	for _, n := range r.Names {
		if n.Status == healthpb.HealthCheckResponse_SERVING {
			names = append(names, `"`+n.Name+`"`)
		}
	}
	return strings.Join(names, " ")
}
