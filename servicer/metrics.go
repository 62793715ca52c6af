package servicer

import (
	"strconv"
	"strings"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/errtext"
)

// The names of metrics are a contract: dashboards and alerts know them.
const (
	metricDependency = "dependency_" // + check
	metricBreaker    = "breaker_"    // + breaker

	metricSystem      = "system_resources"
	metricBreakers    = "circuit_breakers"
	metricApplication = "application_metrics"
	metricJudge       = "health_evaluation"
)

const valueError = "error"

// metrics lists what is known, one line each, sorted by name.
func (r *rules) metrics(e *evidence) []Metric {
	metrics := make([]Metric, 0, len(e.checks)+len(e.breakers)+16)
	metrics = appendChecks(metrics, e.checks)
	for i := range e.breakers {
		metrics = append(metrics, breakerMetric(&e.breakers[i], e.checks))
	}
	if e.brokenBreakers != nil {
		metrics = append(metrics, Metric{
			Name: metricBreakers, Value: valueError, Status: checker.Critical, Reason: checker.ReasonPanic,
			Message: "Circuit breakers could not be read", Updated: e.at, Detail: errtext.Of(e.brokenBreakers),
		})
	}
	metrics = appendSilence(r.appendRequests(metrics, e), e)
	return finish(metrics)
}

// appendChecks adds one metric per check. Resources that could not be sampled are reported together: which one it was
// matters less than that the process does not know itself.
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
			system.Name, system.Value, system.Threshold = metricSystem, valueError, ""
			system.Number, system.Unit = 0, ""
			system.Message = "Failed to check system resources: " + c.Title
			continue
		}
		system.Message += ", " + c.Title
		system.Detail = strings.Join(nonEmpty(system.Detail, m.Detail), "; ")
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

func nonEmpty(texts ...string) []string {
	kept := texts[:0]
	for _, text := range texts {
		if text != "" {
			kept = append(kept, text)
		}
	}
	return kept
}

func checkMetric(c *checker.Result) Metric {
	m := Metric{
		Name:    metricName(c),
		Value:   c.Value,
		Status:  c.Status,
		Reason:  c.Reason,
		Message: c.Message,
		Updated: c.At,
		Since:   c.Since,
		Detail:  errtext.Of(c.Err),
	}
	if !c.Critical.IsZero() {
		m.Threshold = strconv.FormatFloat(c.Critical.Value(), 'f', -1, 64)
	}
	if number, err := strconv.ParseFloat(c.Value, 64); err == nil {
		m.Number, m.Unit = number, strings.TrimSpace(c.Measurement.Unit)
		if c.Measurement.Value != 0 {
			m.Number = c.Measurement.Value
		}
	}
	return m
}

func metricName(c *checker.Result) string {
	if c.Kind == checker.Dependency {
		return metricDependency + c.Name
	}
	return c.Name
}

// breakerMetric judges one breaker. Half-open is judged as the open that came before it: only closed is proof that the
// dependency works again.
func breakerMetric(b *breaker.Snapshot, checks []*checker.Result) Metric {
	m := Metric{
		Name:    metricBreaker + b.Name,
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
	if required(checks, b.Name) {
		m.Status = checker.Critical
	}
	return m
}

// required reports whether a check says that the process cannot do without name.
func required(checks []*checker.Result, name string) bool {
	for _, c := range checks {
		if c.Name == name {
			return !c.Optional
		}
	}
	return false
}
