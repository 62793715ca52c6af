package probes

import (
	"strings"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes/internal/response"
	"github.com/vitals-go/vitals/servicer"
)

// healthDocument is application/health+json as draft-inadarei-api-health-check-06 describes it.
type healthDocument struct {
	Status    string                   `json:"status"`
	Version   string                   `json:"version,omitempty"`
	ReleaseID string                   `json:"releaseId,omitempty"`
	Notes     []string                 `json:"notes,omitempty"`
	Checks    map[string][]healthCheck `json:"checks"`
}

type healthCheck struct {
	ComponentType string `json:"componentType"`
	Value         any    `json:"observedValue,omitempty"`
	Unit          string `json:"observedUnit,omitempty"`
	Status        string `json:"status"`
	Time          string `json:"time,omitempty"`
	Output        string `json:"output,omitempty"`
}

// healthJSON renders a report for a viewer. Its status agrees with the HTTP status of the response.
func healthJSON(r response.Rendering, v response.Viewer, strict bool) []byte {
	report := r.Report
	doc := healthDocument{
		Status:    draftStatus(report.Overall),
		Version:   report.Version,
		ReleaseID: report.Version,
		Notes:     []string{"phase: " + report.Phase.String()},
		Checks: map[string][]healthCheck{"uptime": {{
			ComponentType: "system", Value: r.Uptime().Seconds(), Unit: "s", Status: "pass", Time: response.Time(r.At),
		}}},
	}
	if !response.Healthy(report, strict) {
		doc.Status = "fail"
	}
	for _, m := range report.Maintenance {
		doc.Notes = append(doc.Notes, "maintenance: "+m.Name)
	}
	for i := range report.Metrics {
		m := &report.Metrics[i]
		key, check := draftOf(report, m)
		if check.Status != "pass" {
			check.Output = m.Message
			if v == response.Trusted && m.Detail != "" {
				check.Output = m.Detail
			}
		}
		doc.Checks[key] = append(doc.Checks[key], check)
		for _, value := range m.Values {
			if finite(value.Number) {
				key := component(m.Subject) + ":" + component(value.Name)
				doc.Checks[key] = append(doc.Checks[key], healthCheck{
					ComponentType: check.ComponentType, Value: value.Number, Unit: value.Unit, Status: check.Status, Time: check.Time,
				})
			}
		}
	}
	return response.JSON(doc)
}

func draftStatus(status checker.Status) string {
	return [...]string{"fail", checker.Healthy: "pass", checker.Warning: "warn", checker.Critical: "fail"}[status]
}

// draftOf returns a metric under its "component:measurement" key.
func draftOf(report *servicer.Report, m *servicer.Metric) (string, healthCheck) {
	check := healthCheck{ComponentType: "component", Status: draftStatus(m.Status), Time: response.Time(m.Updated)}
	if n := numberOf(m); n != nil {
		check.Value, check.Unit = *n, m.Unit
	} else if m.Value != "" {
		check.Value = m.Value
	}
	switch {
	case m.Kind == checker.Dependency.String():
		check.Value, check.Unit = nil, ""
		if result, found := lookup(report.Checks, m.Subject); found && !result.At.IsZero() {
			check.Value, check.Unit = float64(result.Duration.Microseconds())/1000, "ms"
		}
		return component(m.Subject) + ":responseTime", check
	case m.Kind == "breaker" && m.Subject != "":
		return component(m.Subject) + ":circuitBreaker", check
	case m.Name == "request_success_rate":
		return "requests:successRate", check
	case m.Name == "avg_response_time":
		return "requests:responseTime", check
	case m.Kind == checker.Resource.String():
		check.ComponentType = "system"
	}
	if name, rest, ok := strings.Cut(m.Name, "_usage"); ok {
		return component(name+rest) + ":utilization", check
	}
	return component(m.Name) + ":value", check
}

// component replaces the colons of a name, which separate the parts of a key.
func component(name string) string { return strings.ReplaceAll(name, ":", "_") }

func lookup(checks []*checker.Result, name string) (*checker.Result, bool) {
	return (&checker.Snapshot{Results: checks}).Lookup(name)
}
