package servicer

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/errtext"
)

// The metrics of requests. Those with a verdict come first.
const (
	metricSuccessRate  = "request_success_rate" // also + "_" + service
	metricResponseTime = "avg_response_time"

	metricP50       = "request_p50"
	metricP90       = "request_p90"
	metricP99       = "request_p99"
	metricInFlight  = "requests_in_flight"
	metricTotal     = "requests_total"
	metricFailures  = "request_failures_total"
	metricPanics    = "request_panics_total"
	metricSaturated = "requests_saturated"
)

// otherService is where the recorder counts calls of names that were never registered. Strangers choose them, so they
// say nothing about a service of ours.
const otherService = "other"

// appendRequests adds what the recorder has seen. A process that has never been called has no such metrics. Whatever
// goes wrong here is itself a metric, and the rest of the report stands.
func (r *rules) appendRequests(metrics []Metric, e *evidence) (all []Metric) {
	failed := Metric{
		Name: metricApplication, Value: valueError, Status: checker.Critical, Reason: checker.ReasonPanic,
		Message: "Failed to check application metrics", Updated: e.at, Detail: errtext.Of(e.brokenRecorder),
	}
	if e.brokenRecorder != nil {
		return append(metrics, failed)
	}
	if e.requests == nil {
		return metrics
	}
	defer func() {
		if recover() != nil {
			all = append(metrics, failed)
		}
	}()
	s := e.requests
	if s.Total.Handled == 0 && s.Total.Started == 0 {
		return metrics
	}
	all = append(slices.Clip(metrics), r.totals(s)...)
	if s.Total.Handled == 0 {
		return all
	}
	all = append(all, r.successRate(metricSuccessRate, "Success rate", &s.Window, s.Time))
	if timed(s) {
		all = append(all, r.responseTime(&s.Window, s.Time))
	}
	if s.Window.LatencySamples > 0 {
		all = append(all,
			millis(metricP50, "Median response time", s.Window.P50, s.Time),
			millis(metricP90, "90 % of responses within", s.Window.P90, s.Time),
			millis(metricP99, "99 % of responses within", s.Window.P99, s.Time))
	}
	return r.appendServices(all, s)
}

// timed reports whether a unary call or an operation has ever ended.
func timed(s *interceptor.Snapshot) bool {
	if s.Window.LatencySamples > 0 {
		return true
	}
	for i := range s.Methods {
		m := &s.Methods[i]
		if (m.Type == interceptor.Unary || m.Type == interceptor.Other) && m.Total.Handled > 0 {
			return true
		}
	}
	return false
}

func (r *rules) successRate(name, title string, w *interceptor.Window, at time.Time) Metric {
	rate := 100.0
	if w.Requests > 0 {
		rate = 100 * float64(w.Requests-min(w.Failures, w.Requests)) / float64(w.Requests)
	}
	value := strconv.FormatFloat(rate, 'f', 1, 64)
	m := Metric{
		Name: name, Value: value, Status: checker.Healthy, Reason: checker.ReasonOK,
		Message: title + ": " + value + "%", Updated: at, Number: rate, Unit: "%",
	}
	if r.requests.SuccessCritical > 0 {
		m.Threshold = strconv.FormatFloat(r.requests.SuccessCritical, 'f', -1, 64)
	}
	if note, few := r.few(title, w.Requests); few {
		m.Message = note(m.Message)
		return m
	}
	m.grade(rate < r.requests.SuccessCritical, rate < r.requests.SuccessWarning)
	return m
}

func (r *rules) responseTime(w *interceptor.Window, at time.Time) Metric {
	const title = "Average response time"
	m := millis(metricResponseTime, title, w.Mean, at)
	if r.requests.LatencyWarning > 0 {
		m.Threshold = strconv.FormatFloat(inMillis(r.requests.LatencyWarning), 'f', -1, 64)
	}
	if note, few := r.few(title, w.LatencySamples); few {
		m.Message = note(m.Message)
		return m
	}
	above := func(limit time.Duration) bool { return limit >= 0 && w.Mean > limit }
	m.grade(above(r.requests.LatencyCritical), above(r.requests.LatencyWarning))
	return m
}

// few reports whether calls are too few to be judged, and how a message says so.
func (r *rules) few(title string, calls uint64) (note func(message string) string, few bool) {
	switch {
	case calls == 0:
		return func(string) string { return title + ": no recent requests" }, true
	case calls < uint64(r.requests.MinSample):
		return func(message string) string {
			return fmt.Sprintf("%s (of %d requests; %d are needed to judge)", message, calls, r.requests.MinSample)
		}, true
	default:
		return nil, false
	}
}

func (m *Metric) grade(critical, warning bool) {
	switch {
	case critical:
		m.Status, m.Reason = checker.Critical, checker.ReasonThreshold
	case warning:
		m.Status, m.Reason = checker.Warning, checker.ReasonThreshold
	}
}

// appendServices adds each service's own success rate, as soon as there is more than one to tell apart.
func (r *rules) appendServices(metrics []Metric, s *interceptor.Snapshot) []Metric {
	alone := len(metrics)
	for i := 0; i < len(s.Methods); {
		service := s.Methods[i].Service
		var w interceptor.Window
		var handled uint64
		for ; i < len(s.Methods) && s.Methods[i].Service == service; i++ {
			handled += s.Methods[i].Total.Handled
			w.Requests += s.Methods[i].Window.Requests
			w.Failures += s.Methods[i].Window.Failures
		}
		if handled > 0 && service != otherService {
			metrics = append(metrics, r.successRate(metricSuccessRate+"_"+service, "Success rate of "+service, &w, s.Time))
		}
	}
	if len(metrics) == alone+1 {
		return metrics[:alone]
	}
	return metrics
}

// totals are the counters beside the verdict: the past heals, but it is not forgotten.
func (r *rules) totals(s *interceptor.Snapshot) []Metric {
	count := func(name, title string, n uint64) Metric {
		value := strconv.FormatUint(n, 10)
		return Metric{
			Name: name, Value: value, Status: checker.Healthy, Reason: checker.ReasonOK,
			Message: title + ": " + value, Updated: s.Time, Number: float64(n), Unit: "1",
		}
	}
	return []Metric{
		count(metricTotal, "Requests since the start", s.Total.Handled),
		count(metricFailures, "Failed requests since the start", s.Total.Failures),
		count(metricPanics, "Panics since the start", s.Total.Panics),
		count(metricInFlight, "Requests in flight", s.Total.InFlight()),
		count(metricSaturated, "Recent requests turned away for lack of capacity", s.Window.Saturated),
	}
}

func millis(name, title string, d time.Duration, at time.Time) Metric {
	ms := inMillis(d)
	return Metric{
		Name: name, Value: strconv.FormatFloat(ms, 'f', 1, 64), Status: checker.Healthy, Reason: checker.ReasonOK,
		Message: title + ": " + strconv.FormatFloat(ms, 'f', 0, 64) + "ms", Updated: at, Number: ms, Unit: "ms",
	}
}

func inMillis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
