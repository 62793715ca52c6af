package servicer

import (
	"strconv"
	"testing"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
)

func TestMetricsOfChecks(t *testing.T) {
	t.Parallel()
	measured := func(name, value string, status checker.Status, critical float64) *checker.Result {
		r := resource(result(name, status, checker.ReasonOK))
		number, _ := strconv.ParseFloat(value, 64)
		r.Value, r.Measurement = value, checker.Measurement{Value: number, Unit: "%"}
		if critical > 0 {
			r.Critical = checker.Above(critical)
		}
		r.Message = "CPU usage at " + value + "%"
		return r
	}
	failed := func(r *checker.Result) *checker.Result {
		r.Value, r.Err = valueError, errSecret
		return r
	}
	for name, tc := range map[string]struct {
		check                                  *checker.Result
		metric, value, message, threshold, raw string
		status                                 checker.Status
		number                                 float64
		unit                                   string
	}{
		"a dependency": {
			check:  &checker.Result{Name: "database", Status: checker.Healthy, Reason: checker.ReasonOK, Value: "available", Message: "Dependency database is available"},
			metric: "dependency_database", value: "available", message: "Dependency database is available", status: checker.Healthy,
		},
		"a dependency that fails": {
			check:  &checker.Result{Name: "database", Status: checker.Critical, Reason: checker.ReasonError, Value: "unavailable", Message: "Dependency database is unavailable", Err: errSecret},
			metric: "dependency_database", value: "unavailable", message: "Dependency database is unavailable", raw: errSecret.Error(), status: checker.Critical,
		},
		"a dependency whose error cannot speak": {
			check:  &checker.Result{Name: "database", Status: checker.Critical, Value: "error", Message: "m", Err: (*mute)(nil)},
			metric: "dependency_database", value: "error", message: "m", raw: "error of type *servicer.mute, whose Error method panics", status: checker.Critical,
		},
		"a resource": {
			check:  measured("cpu_usage", "50.0", checker.Healthy, 80),
			metric: "cpu_usage", value: "50.0", message: "CPU usage at 50.0%", threshold: "80", status: checker.Healthy, number: 50, unit: "%",
		},
		"a resource beyond its threshold": {
			check:  measured("cpu_usage", "91.5", checker.Critical, 80.5),
			metric: "cpu_usage", value: "91.5", message: "CPU usage at 91.5%", threshold: "80.5", status: checker.Critical, number: 91.5, unit: "%",
		},
		"a resource that cannot be sampled": {
			check:  failed(resource(result("cpu_usage", checker.Critical, checker.ReasonError))),
			metric: "system_resources", value: "error", message: "Failed to check system resources: cpu_usage", raw: errSecret.Error(), status: checker.Critical,
		},
		"a resource whose sampler panics": {
			check:  failed(resource(result("cpu_usage", checker.Critical, checker.ReasonPanic))),
			metric: "system_resources", value: "error", message: "Failed to check system resources: cpu_usage", raw: errSecret.Error(), status: checker.Critical,
		},
		"a process check": {
			check:  process(result("heartbeat", checker.Critical, checker.ReasonStale)),
			metric: "heartbeat", message: "Dependency heartbeat is judged", status: checker.Critical,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := plainEvaluator().reportOf(ready(tc.check))
			if len(report.Metrics) != 1 {
				t.Fatalf("metrics = %v", metricNames(report))
			}
			m := mustMetric(t, report, tc.metric)
			if m.Value != tc.value || m.Message != tc.message || m.Threshold != tc.threshold || m.Detail != tc.raw ||
				m.Status != tc.status || m.Number != tc.number || m.Unit != tc.unit {
				t.Errorf("metric = %+v", *m)
			}
			if report.Overall != tc.status {
				t.Errorf("overall = %v, want %v", report.Overall, tc.status)
			}
		})
	}
}

type mute struct{ text string }

func (m *mute) Error() string { return m.text }

func TestFailedResourcesShareOneMetric(t *testing.T) {
	t.Parallel()
	cpu := resource(result("cpu_usage", checker.Warning, checker.ReasonError))
	disk := resource(result("disk_usage", checker.Critical, checker.ReasonPanic))
	memory := resource(result("memory_usage", checker.Healthy, checker.ReasonOK))
	disk.At = noon
	report := plainEvaluator().reportOf(ready(cpu, disk, memory))
	m := mustMetric(t, report, "system_resources")
	if !m.Updated.Equal(noon) {
		t.Errorf("updated at %v, want that of the newest result, %v", m.Updated, noon)
	}
	if m.Status != checker.Critical || m.Message != "Failed to check system resources: cpu_usage, disk_usage" {
		t.Errorf("metric = %+v", *m)
	}
	if len(report.Metrics) != 2 {
		t.Errorf("metrics = %v", metricNames(report))
	}
}

func TestMetricsOfBreakers(t *testing.T) {
	t.Parallel()
	required := result("database", checker.Healthy, checker.ReasonOK, checker.Readiness)
	cache := optional(result("cache", checker.Healthy, checker.ReasonOK))
	for name, tc := range map[string]struct {
		breaker breaker.Snapshot
		value   string
		status  checker.Status
		reason  checker.Reason
		message string
	}{
		"closed": {
			breaker.Snapshot{Name: "database"},
			"closed", checker.Healthy, checker.ReasonOK,
			"Circuit breaker database is closed",
		},
		"open before something required": {
			breaker.Snapshot{Name: "database", State: breaker.Open},
			"open", checker.Critical, checker.ReasonCircuitOpen,
			"Circuit breaker database is open",
		},
		"half-open keeps what open was": {
			breaker.Snapshot{Name: "database", State: breaker.HalfOpen},
			"half-open", checker.Critical, checker.ReasonCircuitOpen,
			"Circuit breaker database is half-open",
		},
		"open before something optional": {
			breaker.Snapshot{Name: "cache", State: breaker.Open},
			"open", checker.Warning, checker.ReasonCircuitOpen,
			"Circuit breaker cache is open",
		},
		"open before something that nobody checks": {
			breaker.Snapshot{Name: "search", State: breaker.Open},
			"open", checker.Warning, checker.ReasonCircuitOpen,
			"Circuit breaker search is open",
		},
		"observing is never worse than a warning": {
			breaker.Snapshot{Name: "database", State: breaker.Open, ObserveOnly: true},
			"open", checker.Warning, checker.ReasonCircuitOpen,
			"Circuit breaker database is open, observing only",
		},
		"held by an operator": {
			breaker.Snapshot{Name: "database", State: breaker.Open, Forced: true},
			"open", checker.Critical, checker.ReasonCircuitOpen,
			"Circuit breaker database is open, held by an operator",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := ready(cache, required)
			e.breakers = []breaker.Snapshot{tc.breaker}
			report := plainEvaluator().reportOf(e)
			m := mustMetric(t, report, "breaker_"+tc.breaker.Name)
			if m.Value != tc.value || m.Status != tc.status || m.Reason != tc.reason || m.Message != tc.message {
				t.Errorf("metric = %+v", *m)
			}
			if ready, _ := report.Lookup("readiness"); ready.Status != serving {
				t.Error("a breaker alone took readiness out")
			}
		})
	}
}

func TestBreakersOfOneNameShowTheWorse(t *testing.T) {
	t.Parallel()
	e := ready()
	e.breakers = []breaker.Snapshot{{Name: "a"}, {Name: "a", State: breaker.Open}, {Name: "a"}}
	report := plainEvaluator().reportOf(e)
	if m := mustMetric(t, report, "breaker_a"); len(report.Metrics) != 1 || m.Status != checker.Warning {
		t.Errorf("metrics = %+v", report.Metrics)
	}
}

func TestPanickingSourcesAreCritical(t *testing.T) {
	t.Parallel()
	e := ready()
	e.breakersErr, e.requestsErr = errSecret, errSecret
	report := plainEvaluator().reportOf(e)
	for _, name := range []string{"circuit_breakers", "application_metrics"} {
		if m := mustMetric(t, report, name); m.Value != "error" || m.Status != checker.Critical || m.Detail != errSecret.Error() {
			t.Errorf("metric = %+v", *m)
		}
	}
	if report.Overall != checker.Critical {
		t.Errorf("overall = %v", report.Overall)
	}
}

func TestOverallIsTheWorst(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		statuses []checker.Status
		want     checker.Status
	}{
		"nothing":                                 {nil, checker.Healthy},
		"healthy":                                 {[]checker.Status{checker.Healthy}, checker.Healthy},
		"a warning":                               {[]checker.Status{checker.Healthy, checker.Warning}, checker.Warning},
		"unknown is worse than a warning":         {[]checker.Status{checker.Unknown, checker.Warning}, checker.Unknown},
		"critical is worse than unknown":          {[]checker.Status{checker.Critical, checker.Unknown}, checker.Critical},
		"the order does not matter":               {[]checker.Status{checker.Critical, checker.Healthy, checker.Warning}, checker.Critical},
		"a warning does not make critical milder": {[]checker.Status{checker.Critical, checker.Warning}, checker.Critical},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var checks []*checker.Result
			for i, status := range tc.statuses {
				checks = append(checks, result(string(rune('a'+i)), status, checker.ReasonOK))
			}
			if got := plainEvaluator().reportOf(ready(checks...)).Overall; got != tc.want {
				t.Errorf("overall = %v, want %v", got, tc.want)
			}
		})
	}
}

func TestNextIsWhenAnOpenBreakerBecomesHalfOpen(t *testing.T) {
	t.Parallel()
	for retryAt, want := range map[time.Time]time.Time{
		{}: {}, noon: {}, noon.Add(-time.Second): {}, noon.Add(time.Second): noon.Add(time.Second),
	} {
		in := ready()
		in.breakers = []breaker.Snapshot{{RetryAt: retryAt}, {RetryAt: time.Time{}}}
		if got := in.next(); !got.Equal(want) {
			t.Errorf("RetryAt %v: next = %v, want %v", retryAt, got, want)
		}
	}
}

func TestMetricsOfRequests(t *testing.T) {
	t.Parallel()
	window := func(requests, failures uint64, mean time.Duration) interceptor.Window {
		return interceptor.Window{Requests: requests, Failures: failures, LatencySamples: requests, Mean: mean}
	}
	for name, tc := range map[string]struct {
		window              interceptor.Window
		rate, rateMessage   string
		rateStatus          checker.Status
		meanValue, meanText string
		meanStatus          checker.Status
	}{
		"good": {
			window(1000, 5, 12*time.Millisecond),
			"99.5", "Success rate: 99.5%", checker.Healthy, "12.0", "Average response time: 12ms", checker.Healthy,
		},
		"98 % is no warning": {
			window(100, 2, 2*time.Second),
			"98.0", "Success rate: 98.0%", checker.Healthy, "2000.0", "Average response time: 2000ms", checker.Healthy,
		},
		"below 98 %, above 2 s": {
			window(1000, 21, 2001*time.Millisecond),
			"97.9", "Success rate: 97.9%", checker.Warning, "2001.0", "Average response time: 2001ms", checker.Warning,
		},
		"95 % and 5 s only warn": {
			window(100, 5, 5*time.Second),
			"95.0", "Success rate: 95.0%", checker.Warning, "5000.0", "Average response time: 5000ms", checker.Warning,
		},
		"below 95 %, above 5 s": {
			window(1000, 51, 5001*time.Millisecond),
			"94.9", "Success rate: 94.9%", checker.Critical, "5001.0", "Average response time: 5001ms", checker.Critical,
		},
		"too few to judge": {
			window(19, 19, time.Minute),
			"0.0", "Success rate: 0.0% (of 19 requests; 20 are needed)", checker.Healthy,
			"60000.0", "Average response time: 60000ms (of 19 requests; 20 are needed)", checker.Healthy,
		},
		"just enough": {
			window(20, 20, time.Minute),
			"0.0", "Success rate: 0.0%", checker.Critical, "60000.0", "Average response time: 60000ms", checker.Critical,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := ready()
			e.requests = calls(tc.window)
			report := plainEvaluator().reportOf(e)
			rate, mean := mustMetric(t, report, "request_success_rate"), mustMetric(t, report, "avg_response_time")
			if rate.Value != tc.rate || rate.Message != tc.rateMessage || rate.Status != tc.rateStatus || rate.Threshold != "95" {
				t.Errorf("rate = %+v", *rate)
			}
			if mean.Value != tc.meanValue || mean.Message != tc.meanText || mean.Status != tc.meanStatus || mean.Threshold != "2000" {
				t.Errorf("mean = %+v", *mean)
			}
			if got := servingNames(report); got != `"" "liveness" "readiness" "startup"` {
				t.Errorf("requests took names out, serving: %s", got)
			}
		})
	}
}

func TestWindowRecoversAndTotalsStay(t *testing.T) {
	t.Parallel()
	e := ready()
	e.requests = calls(interceptor.Window{Requests: 100, Failures: 100, LatencySamples: 100, Mean: time.Minute})
	e.requests.Window = interceptor.Window{}
	report := plainEvaluator().reportOf(e)
	if report.Overall != checker.Healthy {
		t.Errorf("overall = %v", report.Overall)
	}
	if m := mustMetric(t, report, "request_success_rate"); m.Message != "Success rate: no recent requests" || m.Value != "100.0" {
		t.Errorf("metric = %+v", *m)
	}
	if m := mustMetric(t, report, "request_failures_total"); m.Value != "100" {
		t.Errorf("metric = %+v", *m)
	}
}

func TestNoRequestMetricsBeforeFirstCall(t *testing.T) {
	t.Parallel()
	e := ready()
	e.requests = &interceptor.Snapshot{Time: noon}
	if report := plainEvaluator().reportOf(e); len(report.Metrics) != 0 {
		t.Errorf("metrics = %v", metricNames(report))
	}
}

func TestSuccessRateByService(t *testing.T) {
	t.Parallel()
	good := interceptor.Window{Requests: 1000, LatencySamples: 1000}
	e := ready()
	e.services = []string{"shop.v1.Carts", "shop.v1.Orders"}
	e.requests = calls(good)
	if report := plainEvaluator().reportOf(e); len(report.Metrics) != 12 {
		t.Errorf("the rate of a single service is reported twice: %v", metricNames(report))
	}
	bad := calls(interceptor.Window{Requests: 30, Failures: 30, LatencySamples: 30}).Methods[0]
	bad.Service = "shop.v1.Carts"
	stranger := bad
	stranger.Service = "other"
	e.requests.Methods = []interceptor.Method{stranger, bad, e.requests.Methods[0]}
	rules := plainEvaluator()
	rules.requests.Gates = true
	report := rules.reportOf(e)
	if m := mustMetric(t, report, "request_success_rate_shop.v1.Carts"); m.Status != checker.Critical || m.Message != "Success rate of shop.v1.Carts: 0.0%" {
		t.Errorf("metric = %+v", *m)
	}
	if _, found := report.Metric("request_success_rate_other"); found {
		t.Error("strangers' calls are reported as a service")
	}
	if got := servingNames(report); got != `"" "liveness" "readiness" "shop.v1.Orders" "startup"` {
		t.Errorf("serving: %s", got)
	}
}

func TestRequestMetricsGateNames(t *testing.T) {
	t.Parallel()
	e := ready()
	e.services = []string{"shop.v1.Orders"}
	e.requests = calls(interceptor.Window{Requests: 100, Failures: 100})
	rules := plainEvaluator()
	rules.requests.Gates = true
	report := rules.reportOf(e)
	if got := servingNames(report); got != `"liveness" "startup"` {
		t.Errorf("serving: %s", got)
	}
	orders, _ := report.Lookup("shop.v1.Orders")
	if want := (Cause{Check: "request_success_rate", Reason: checker.ReasonThreshold, Text: "Success rate: 0.0%"}); orders.Causes[0] != want {
		t.Errorf("because %+v, want %+v", orders.Causes[0], want)
	}
}

func TestReportHead(t *testing.T) {
	t.Parallel()
	report := plainEvaluator().reportOf(ready())
	if report.Version != "1.2.3" || report.EvaluatedAt != noon || report.EvaluatedAt.Sub(report.Started) != time.Hour || report.Phase != Ready {
		t.Errorf("report = %+v", report)
	}
}

// Streams count as requests, but have no response time.
func TestResponseTimeNeedsEnoughUnaryCalls(t *testing.T) {
	for samples, want := range map[uint64]checker.Status{19: checker.Healthy, 20: checker.Critical} {
		in := ready()
		in.requests = calls(interceptor.Window{Requests: 100, LatencySamples: samples, Mean: 10 * time.Second})
		if m, _ := plainEvaluator().reportOf(in).Metric(metricResponseTime); m.Status != want {
			t.Errorf("with %d unary calls of 100: got %v, %q, want %v", samples, m.Status, m.Message, want)
		}
	}
}
