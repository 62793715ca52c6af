package servicer

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
)

// The metrics of requests. Those with a status of their own come first.
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
	metricRejected  = "requests_rejected"
)

// otherService is the service under which the recorder counts calls to unregistered names.
const otherService = "other"

// appendRequests adds the metrics of the recorder; none before the first call. A panic becomes a metric itself and
// leaves the rest of the report intact.
func (ev *evaluator) appendRequests(metrics []Metric, in *inputs) (all []Metric) {
	first := len(metrics)
	failed := Metric{
		Name: metricApplication, Kind: kindRequests, Value: valueError, Status: checker.Critical, Reason: checker.ReasonPanic,
		Message: "Failed to check application metrics", Updated: in.now,
	}
	if in.requestsErr != nil {
		failed.Detail = in.requestsErr.Error()
		return append(metrics, failed)
	}
	s := in.requests
	if s == nil || s.Total.Handled == 0 && s.Total.Started == 0 {
		return metrics
	}
	defer func() {
		if recover() != nil {
			all = append(metrics[:first:first], failed)
		}
		for i := range all[first:] {
			all[first+i].Kind = kindRequests
		}
	}()
	all = append(slices.Clip(metrics), ev.totals(s, in.rejected)...)
	all = append(all, in.stuck.metric(&ev.requests, s.Time))
	if s.Total.Handled == 0 {
		return all
	}
	all = append(all, ev.successRate(metricSuccessRate, "Success rate", &s.Window, s.Time))
	if timed(s) {
		all = append(all, ev.responseTime(&s.Window, s.Time))
	}
	if s.Window.LatencySamples > 0 {
		all = append(all,
			millis(metricP50, "Median response time", s.Window.P50, s.Time),
			millis(metricP90, "90 % of responses within", s.Window.P90, s.Time),
			millis(metricP99, "99 % of responses within", s.Window.P99, s.Time))
	}
	return ev.appendServices(all, s)
}

// timed reports whether a unary call has ended or the window has latencies.
func timed(s *interceptor.Snapshot) bool {
	if s.Window.LatencySamples > 0 {
		return true
	}
	for i := range s.Methods {
		if s.Methods[i].Type == interceptor.Unary && s.Methods[i].Total.Handled > 0 {
			return true
		}
	}
	return false
}

func (ev *evaluator) successRate(name, title string, w *interceptor.Window, at time.Time) Metric {
	rate := 100.0
	if w.Requests > 0 {
		rate = 100 * float64(w.Requests-min(w.Failures, w.Requests)) / float64(w.Requests)
	}
	value := strconv.FormatFloat(rate, 'f', 1, 64)
	m := Metric{
		Name: name, Value: value, Status: checker.Healthy, Reason: checker.ReasonOK,
		Message: title + ": " + value + "%", Updated: at, Number: rate, Unit: "%",
	}
	if ev.requests.SuccessCritical > 0 {
		m.Threshold = strconv.FormatFloat(ev.requests.SuccessCritical, 'f', -1, 64)
	}
	if !ev.tooFew(&m, title, w.Requests) {
		m.grade(rate < ev.requests.SuccessCritical, rate < ev.requests.SuccessWarning)
	}
	return m
}

func (ev *evaluator) responseTime(w *interceptor.Window, at time.Time) Metric {
	const title = "Average response time"
	m := millis(metricResponseTime, title, w.Mean, at)
	if ev.requests.LatencyWarning > 0 {
		m.Threshold = strconv.FormatFloat(inMillis(ev.requests.LatencyWarning), 'f', -1, 64)
	}
	if !ev.tooFew(&m, title, w.LatencySamples) {
		above := func(limit time.Duration) bool { return limit >= 0 && w.Mean > limit }
		m.grade(above(ev.requests.LatencyCritical), above(ev.requests.LatencyWarning))
	}
	return m
}

// tooFew reports whether calls are too few for a status, and if so says it in the message of m.
func (ev *evaluator) tooFew(m *Metric, title string, calls uint64) bool {
	switch {
	case calls == 0:
		m.Message = title + ": no recent requests"
	case calls < uint64(ev.requests.MinSample):
		m.Message = fmt.Sprintf("%s (of %d requests; %d are needed)", m.Message, calls, ev.requests.MinSample)
	default:
		return false
	}
	return true
}

func (m *Metric) grade(critical, warning bool) {
	switch {
	case critical:
		m.Status, m.Reason = checker.Critical, checker.ReasonThreshold
	case warning:
		m.Status, m.Reason = checker.Warning, checker.ReasonThreshold
	}
}

// appendServices adds each service's own success rate, as soon as there are two services.
func (ev *evaluator) appendServices(metrics []Metric, s *interceptor.Snapshot) []Metric {
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
			m := ev.successRate(metricSuccessRate+"_"+service, "Success rate of "+service, &w, s.Time)
			m.Subject = service
			metrics = append(metrics, m)
		}
	}
	if len(metrics) == alone+1 {
		return metrics[:alone]
	}
	return metrics
}

// totals are the counters since the start.
func (ev *evaluator) totals(s *interceptor.Snapshot, rejected uint64) []Metric {
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
		count(metricRejected, "Requests rejected while their service did not serve", rejected),
		count(metricSaturated, "Recent requests rejected with RESOURCE_EXHAUSTED", s.Window.ResourceExhausted),
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
