package probes

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// reportDocument is the JSON of /health. Its names are those of vitals.v1.HealthReportResponse.
type reportDocument struct {
	Overall     checker.Status            `json:"overall_status"`
	Uptime      float64                   `json:"uptime_seconds"`
	Timestamp   string                    `json:"timestamp"`
	Version     string                    `json:"version"`
	Metrics     map[string]metricDocument `json:"metrics"`
	Phase       servicer.Phase            `json:"phase"`
	Revision    uint64                    `json:"revision"`
	Evaluated   string                    `json:"evaluated_at,omitempty"`
	Names       []nameDocument            `json:"names,omitempty"`
	Transitions []transitionDocument      `json:"transitions,omitempty"`
	Maintenance []maintenanceDocument     `json:"maintenance,omitempty"`
}

type metricDocument struct {
	Value     string         `json:"value"`
	Status    checker.Status `json:"status"`
	Message   string         `json:"message"`
	Threshold string         `json:"threshold"`
	Updated   string         `json:"last_updated"`
	Reason    checker.Reason `json:"reason"`
	Detail    string         `json:"detail,omitempty"`
	Since     string         `json:"since,omitempty"`
	Number    *float64       `json:"number,omitempty"`
	Unit      string         `json:"unit,omitempty"`
}

type nameDocument struct {
	Name   string          `json:"name"`
	Status string          `json:"status"`
	Causes []causeDocument `json:"causes,omitempty"`
}

type causeDocument struct {
	Check  string         `json:"check,omitempty"`
	Reason checker.Reason `json:"reason"`
	Text   string         `json:"text,omitempty"`
}

type transitionDocument struct {
	Seq         uint64   `json:"seq"`
	At          string   `json:"at"`
	Subject     string   `json:"subject"`
	Names       []string `json:"names,omitempty"`
	From        string   `json:"from"`
	To          string   `json:"to"`
	Reason      string   `json:"reason,omitempty"`
	Text        string   `json:"text,omitempty"`
	PreviousFor float64  `json:"previous_state_seconds"`
}

type maintenanceDocument struct {
	Name   string `json:"name"`
	Reason string `json:"reason,omitempty"`
	Until  string `json:"until,omitempty"`
}

// reportJSON renders an edition for an audience.
func reportJSON(e *rendered, a viewer) []byte {
	report := e.report
	doc := reportDocument{
		Overall:   report.Overall,
		Uptime:    e.uptime().Seconds(),
		Timestamp: stamp(e.at),
		Version:   report.Version,
		Metrics:   make(map[string]metricDocument, len(report.Metrics)),
		Phase:     report.Phase,
		Revision:  report.Revision,
		Evaluated: stamp(report.EvaluatedAt),
	}
	for i := range report.Metrics {
		doc.Metrics[report.Metrics[i].Name] = metricOf(&report.Metrics[i], a)
	}
	for _, name := range report.Names {
		doc.Names = append(doc.Names, nameOf(name))
	}
	for _, t := range report.Transitions {
		doc.Transitions = append(doc.Transitions, transitionDocument{
			Seq: t.Seq, At: stamp(t.At), Subject: t.Subject, Names: t.Names, From: t.From, To: t.To, Reason: t.Reason.String(),
			Text: t.Text, PreviousFor: t.PreviousFor.Seconds(),
		})
	}
	for _, m := range report.Maintenance {
		doc.Maintenance = append(doc.Maintenance, maintenanceDocument{m.Name, m.Reason, stamp(m.Until)})
	}
	return encode(doc)
}

func metricOf(m *servicer.Metric, a viewer) metricDocument {
	doc := metricDocument{
		Value: m.Value, Status: m.Status, Message: m.Message, Threshold: m.Threshold, Updated: stamp(m.Updated),
		Reason: m.Reason, Since: stamp(m.Since), Number: numberOf(m.Value, m.Number), Unit: m.Unit,
	}
	if a == trusted {
		doc.Detail = m.Detail
	}
	return doc
}

// numberOf returns the number that a value stands for, nil if the value is none, or none that JSON can hold.
func numberOf(value string, number float64) *float64 {
	if _, err := strconv.ParseFloat(value, 64); err != nil || math.IsNaN(number) || math.IsInf(number, 0) {
		return nil
	}
	return &number
}

func nameOf(name servicer.ServingName) nameDocument {
	doc := nameDocument{Name: name.Name, Status: name.Status.String()}
	for _, cause := range name.Causes {
		doc.Causes = append(doc.Causes, causeDocument{cause.Check, cause.Reason, cause.Text})
	}
	return doc
}

// encode cannot fail: the documents hold text, finite numbers and the closed sets of statuses and reasons.
func encode(doc any) []byte {
	body, err := json.Marshal(doc)
	if err != nil {
		return []byte("{}")
	}
	return append(body, '\n')
}

// stamp writes a time as RFC 3339 in UTC, "" if there is none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
