package servicer

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/errtext"
)

// The names of metrics are stable: dashboards and alerts depend on them.
const (
	metricDependency = "dependency_" // + check
	metricBreaker    = "breaker_"    // + breaker

	metricSystem      = "system_resources"
	metricBreakers    = "circuit_breakers"
	metricApplication = "application_metrics"
	metricEvaluation  = "health_evaluation"
)

// The kinds of metrics, as in Metric.Kind. Those of checks have the names of checker's kinds.
const (
	kindBreaker    = "breaker"
	kindRequests   = "requests"
	kindEvaluation = "evaluation"
)

const valueError = "error"

// metrics returns one metric for each check, breaker and request statistic, sorted by name.
func (ev *evaluator) metrics(in *inputs) []Metric {
	metrics := make([]Metric, 0, len(in.checks)+len(in.breakers)+16)
	metrics = appendChecks(metrics, in.checks)
	for i := range in.breakers {
		metrics = append(metrics, breakerMetric(&in.breakers[i], in.checks))
	}
	if in.breakersErr != nil {
		metrics = append(metrics, Metric{
			Name: metricBreakers, Kind: kindBreaker, Value: valueError, Status: checker.Critical, Reason: checker.ReasonPanic,
			Message: "Circuit breakers could not be read", Updated: in.now, Detail: in.breakersErr.Error(),
		})
	}
	metrics = ev.appendRequests(metrics, in)
	for _, other := range []func(*inputs) (Metric, bool){stateMetric, overrideMetric, contradictionMetric} {
		if m, found := other(in); found {
			metrics = append(metrics, m)
		}
	}
	return mergeMetrics(metrics)
}

// unknownEvaluation is the metric of an evaluation that has stalled or ended.
func unknownEvaluation(value string, now time.Time) Metric {
	return Metric{
		Name: metricEvaluation, Kind: kindEvaluation, Value: value, Status: checker.Unknown, Reason: checker.ReasonStale,
		Message: "Health is no longer evaluated", Updated: now,
	}
}

// appendChecks adds one metric per check. Resources that could not be sampled share one, system_resources.
func appendChecks(metrics []Metric, checks []*checker.Result) []Metric {
	var system *Metric
	for _, c := range checks {
		m := checkMetric(c)
		if c.Kind != checker.Resource || (c.Reason != checker.ReasonError && c.Reason != checker.ReasonPanic) {
			metrics = append(metrics, m)
			continue
		}
		if system == nil {
			system = &m
			system.Name, system.Subject, system.Value, system.Threshold = metricSystem, "", valueError, ""
			system.Number, system.Unit, system.Values, system.CausedBy = 0, "", nil, ""
			system.Message = "Failed to check system resources: " + c.Title
			continue
		}
		system.Message += ", " + c.Title
		details := []string{system.Detail, m.Detail}
		system.Detail = strings.Join(slices.DeleteFunc(details, func(text string) bool { return text == "" }), "; ")
		if m.Status.Worse(system.Status) {
			system.Status, system.Reason = m.Status, m.Reason
		}
		if m.Updated.After(system.Updated) {
			system.Updated = m.Updated
		}
	}
	if system != nil {
		metrics = append(metrics, *system)
	}
	return metrics
}

func checkMetric(c *checker.Result) Metric {
	m := Metric{
		Name:     c.Name,
		Kind:     c.Kind.String(),
		Subject:  c.Name,
		Value:    c.Value,
		Values:   c.Values,
		Status:   c.Status,
		Reason:   c.Reason,
		CausedBy: c.CausedBy,
		Message:  c.Message,
		Updated:  c.At,
		Since:    c.Since,
		Detail:   errtext.Of(c.Err),
	}
	if c.Kind == checker.Dependency {
		m.Name = metricDependency + c.Name
	}
	if !c.Critical.IsZero() {
		m.Threshold = strconv.FormatFloat(c.Critical.Value(), 'f', -1, 64)
	}
	if c.Measured() {
		m.Number, m.Unit = c.Measurement.Value, cmp.Or(c.Measurement.Unit, "1")
	}
	return m
}

// breakerMetric evaluates one breaker. Half-open counts as open: only a closed breaker shows that the dependency works
// again.
func breakerMetric(b *breaker.Snapshot, checks []*checker.Result) Metric {
	m := Metric{
		Name:    metricBreaker + b.Name,
		Kind:    kindBreaker,
		Subject: b.Name,
		Value:   b.State.String(),
		Status:  checker.Healthy,
		Reason:  checker.ReasonOK,
		Message: "Circuit breaker " + b.Name + " is " + b.State.String(),
		Since:   b.Since,
		Updated: b.Since,
		Detail:  errtext.Of(b.LastFailure),
	}
	if b.Forced {
		m.Message += ", held by an operator"
	}
	if b.State == breaker.Closed {
		m.Detail = ""
		return m
	}
	m.Reason, m.Status = checker.ReasonCircuitOpen, checker.Warning
	if b.ObserveOnly {
		m.Message += ", observing only"
		return m
	}
	if slices.ContainsFunc(checks, func(c *checker.Result) bool { return c.Name == b.Name && !c.Optional }) {
		m.Status = checker.Critical
	}
	return m
}
