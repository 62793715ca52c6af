package probes

import (
	"strconv"
	"strings"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// draftDocument is application/health+json as draft-inadarei-api-health-check-06 describes it.
type draftDocument struct {
	Status    string                  `json:"status"`
	Version   string                  `json:"version,omitempty"`
	ReleaseID string                  `json:"releaseId,omitempty"`
	Notes     []string                `json:"notes,omitempty"`
	Checks    map[string][]draftCheck `json:"checks"`
}

type draftCheck struct {
	ComponentType string `json:"componentType"`
	Value         any    `json:"observedValue,omitempty"`
	Unit          string `json:"observedUnit,omitempty"`
	Status        string `json:"status"`
	Time          string `json:"time,omitempty"`
	Output        string `json:"output,omitempty"`
}

const (
	draftPass = "pass"
	draftWarn = "warn"
	draftFail = "fail"
)

// draftJSON renders an edition for an audience. The status says what the HTTP status of the same answer says.
func draftJSON(e *rendered, a viewer, strict bool) []byte {
	report := e.report
	doc := draftDocument{
		Status:    draftStatus(report.Overall),
		Version:   report.Version,
		ReleaseID: report.Version,
		Notes:     []string{"phase: " + report.Phase.String()},
		Checks: map[string][]draftCheck{"uptime": {{
			ComponentType: "system", Value: e.uptime().Seconds(), Unit: "s", Status: draftPass,
			Time: stamp(e.at),
		}}},
	}
	if !healthy(report, strict) {
		doc.Status = draftFail
	}
	for _, m := range report.Maintenance {
		doc.Notes = append(doc.Notes, "maintenance: "+m.Name)
	}
	for i := range report.Metrics {
		key, check := draftOf(report, &report.Metrics[i])
		if check.Status != draftPass {
			check.Output = outputOf(&report.Metrics[i], a)
		}
		doc.Checks[key] = append(doc.Checks[key], check)
	}
	return encode(doc)
}

func draftStatus(status checker.Status) string {
	switch status {
	case checker.Healthy:
		return draftPass
	case checker.Warning:
		return draftWarn
	default:
		return draftFail
	}
}

// outputOf says what is wrong with a metric: the cause to who may see it, else what everybody may read.
func outputOf(m *servicer.Metric, a viewer) string {
	if a == trusted && m.Detail != "" {
		return m.Detail
	}
	return m.Message
}

// draftOf returns a metric under its "component:measurement" name.
func draftOf(report *servicer.Report, m *servicer.Metric) (string, draftCheck) {
	check := draftCheck{ComponentType: "component", Status: draftStatus(m.Status), Time: stamp(m.Updated)}
	if n := numberOf(m.Value, m.Number); n != nil {
		check.Value, check.Unit = *n, strings.TrimSpace(m.Unit)
	} else if m.Value != "" {
		check.Value = m.Value
	}
	if name, ok := strings.CutPrefix(m.Name, "dependency_"); ok {
		if result, ok := lookup(report.Checks, name); ok && result.Kind == checker.Dependency && !result.At.IsZero() {
			check.Value, check.Unit = milliseconds(result), "ms"
		} else {
			check.Value, check.Unit = nil, ""
		}
		return component(name) + ":responseTime", check
	}
	if name, ok := strings.CutPrefix(m.Name, "breaker_"); ok {
		return component(name) + ":circuitBreaker", check
	}
	switch m.Name {
	case "request_success_rate":
		return "requests:successRate", check
	case "avg_response_time":
		return "requests:responseTime", check
	}
	if result, ok := lookup(report.Checks, m.Name); ok && result.Kind == checker.Resource {
		check.ComponentType = "system"
	}
	if name, rest, ok := strings.Cut(m.Name, "_usage"); ok {
		return component(name+rest) + ":utilization", check
	}
	return component(m.Name) + ":value", check
}

// component makes a name fit for the part of a key that may not hold a colon.
func component(name string) string { return strings.ReplaceAll(name, ":", "_") }

func milliseconds(result *checker.Result) float64 {
	return float64(result.Duration.Microseconds()) / 1000
}

func lookup(checks []*checker.Result, name string) (*checker.Result, bool) {
	return (&checker.Snapshot{Results: checks}).Lookup(name)
}

// number writes a float in the shortest form.
func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
