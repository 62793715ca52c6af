package probes

import (
	"cmp"
	"math"
	"strconv"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/errtext"
	"github.com/vitals-go/vitals/probes/internal/response"
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
	Shadow      []nameDocument            `json:"shadow,omitempty"`
	Transitions []transitionDocument      `json:"transitions,omitempty"`
	Maintenance []maintenanceDocument     `json:"maintenance,omitempty"`
	Standby     bool                      `json:"standby,omitempty"`
	Probers     []proberDocument          `json:"probers,omitempty"`
}

type metricDocument struct {
	Value     string          `json:"value"`
	Status    checker.Status  `json:"status"`
	Message   string          `json:"message"`
	Threshold string          `json:"threshold"`
	Updated   string          `json:"last_updated"`
	Reason    checker.Reason  `json:"reason"`
	Detail    string          `json:"detail,omitempty"`
	CausedBy  string          `json:"caused_by,omitempty"`
	Since     string          `json:"since,omitempty"`
	Number    *float64        `json:"number,omitempty"`
	Unit      string          `json:"unit,omitempty"`
	Values    []valueDocument `json:"values,omitempty"`
}

type valueDocument struct {
	Name   string  `json:"name"`
	Number float64 `json:"number"`
	Unit   string  `json:"unit"`
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

type proberDocument struct {
	Prober   string  `json:"prober"`
	Protocol string  `json:"protocol"`
	Name     string  `json:"name"`
	Unknown  bool    `json:"unknown,omitempty"`
	Requests uint64  `json:"requests"`
	Open     int     `json:"open,omitempty"`
	Interval float64 `json:"interval_seconds,omitempty"`
	Last     string  `json:"last"`
	Answer   string  `json:"answer"`
	Stopped  bool    `json:"stopped,omitempty"`
}

// reportJSON renders a report for a viewer.
func reportJSON(r response.Rendering, v response.Viewer) []byte {
	report := r.Report
	doc := reportDocument{
		Overall:   report.Overall,
		Uptime:    r.Uptime().Seconds(),
		Timestamp: response.Time(r.At),
		Version:   report.Version,
		Metrics:   make(map[string]metricDocument, len(report.Metrics)),
		Phase:     report.Phase,
		Revision:  report.Revision,
		Evaluated: response.Time(report.EvaluatedAt),
		Standby:   report.Standby,
	}
	for i := range report.Metrics {
		doc.Metrics[report.Metrics[i].Name] = metricOf(&report.Metrics[i], v)
	}
	for _, name := range report.Names {
		doc.Names = append(doc.Names, nameOf(name))
	}
	for _, name := range report.Shadow {
		doc.Shadow = append(doc.Shadow, nameOf(name))
	}
	for _, t := range report.Transitions {
		doc.Transitions = append(doc.Transitions, transitionDocument{
			Seq: t.Seq, At: response.Time(t.At), Subject: t.Subject, Names: t.Names, From: t.From, To: t.To,
			Reason: t.Reason.String(), Text: t.Text, PreviousFor: t.PreviousFor.Seconds(),
		})
	}
	for _, m := range report.Maintenance {
		doc.Maintenance = append(doc.Maintenance, maintenanceDocument{m.Name, m.Reason, response.Time(m.Until)})
	}
	for _, p := range report.Probers {
		doc.Probers = append(doc.Probers, proberDocument{
			p.Kind, p.Protocol, p.Name, p.Unknown, p.Requests, p.Open, p.Interval.Seconds(), response.Time(p.Last), p.Answer, p.Stopped,
		})
	}
	return response.JSON(doc)
}

func metricOf(m *servicer.Metric, v response.Viewer) metricDocument {
	doc := metricDocument{
		Value: m.Value, Status: m.Status, Message: m.Message, Threshold: m.Threshold, Updated: response.Time(m.Updated),
		Reason: m.Reason, CausedBy: m.CausedBy, Since: response.Time(m.Since), Number: numberOf(m), Unit: m.Unit,
	}
	for _, value := range m.Values {
		if finite(value.Number) {
			doc.Values = append(doc.Values, valueDocument(value))
		}
	}
	if v == response.Trusted {
		doc.Detail = m.Detail
	}
	return doc
}

// numberOf returns the number of a metric, nil if it has none or one that JSON cannot represent.
func numberOf(m *servicer.Metric) *float64 {
	if m.Unit == "" || !finite(m.Number) {
		return nil
	}
	return &m.Number
}

func finite(number float64) bool { return !math.IsNaN(number) && !math.IsInf(number, 0) }

func nameOf(name servicer.ServingName) nameDocument {
	doc := nameDocument{Name: name.Name, Status: name.Status.String()}
	for _, cause := range name.Causes {
		doc.Causes = append(doc.Causes, causeDocument(cause))
	}
	return doc
}

// checkDocument is the JSON of /health/<name>: the metric's fields and those of the check's runs.
type checkDocument struct {
	Name string `json:"name"`
	metricDocument
	Kind        string   `json:"kind,omitempty"`
	Optional    bool     `json:"optional,omitempty"`
	Shadow      bool     `json:"shadow,omitempty"`
	Gates       []string `json:"gates,omitempty"`
	Source      string   `json:"source,omitempty"`
	Duration    float64  `json:"duration_seconds,omitempty"`
	LastSuccess string   `json:"last_success,omitempty"`
	Expires     string   `json:"expires_at,omitempty"`
	Failures    int      `json:"consecutive_failures,omitempty"`
}

// checkOf renders a check for a viewer.
func checkOf(c *checker.Result, v response.Viewer) checkDocument {
	m := servicer.Metric{
		Value: c.Value, Status: c.Status, Message: c.Message, Updated: c.At, Reason: c.Reason, Since: c.Since,
		Detail: errtext.Of(c.Err), Values: c.Values, CausedBy: c.CausedBy,
	}
	if !c.Critical.IsZero() {
		m.Threshold = strconv.FormatFloat(c.Critical.Value(), 'f', -1, 64)
	}
	if c.Measured() {
		m.Number, m.Unit = c.Measurement.Value, cmp.Or(c.Measurement.Unit, "1")
	}
	return checkDocument{
		Name: c.Name, metricDocument: metricOf(&m, v), Kind: c.Kind.String(), Optional: c.Optional, Shadow: c.Shadow, Gates: c.Gates,
		Source: c.Measurement.Source, Duration: c.Duration.Seconds(),
		LastSuccess: response.Time(c.LastSuccess), Expires: response.Time(c.Expires), Failures: c.Failures,
	}
}
