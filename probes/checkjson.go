package probes

import (
	"strings"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/errtext"
	"github.com/vitals-go/vitals/servicer"
)

// checkDocument is the JSON of /health/<check>: the metric's fields and, for a check, what is known of its runs.
type checkDocument struct {
	Name string `json:"name"`
	metricDocument
	Kind        string   `json:"kind,omitempty"`
	Optional    bool     `json:"optional,omitempty"`
	Gates       []string `json:"gates,omitempty"`
	Source      string   `json:"source,omitempty"`
	Duration    float64  `json:"duration_seconds,omitempty"`
	LastSuccess string   `json:"last_success,omitempty"`
	Expires     string   `json:"expires_at,omitempty"`
	Failures    int      `json:"consecutive_failures,omitempty"`
}

// checkJSON renders the check called name, or else the metric of that name. It reports false if there is neither.
func checkJSON(report *servicer.Report, name string, a viewer) ([]byte, checker.Status, bool) {
	if result, ok := lookup(report.Checks, name); ok {
		return encode(checkOf(result, a)), result.Status, true
	}
	if metric, ok := report.Metric(name); ok {
		return encode(checkDocument{Name: metric.Name, metricDocument: metricOf(metric, a)}), metric.Status, true
	}
	return nil, checker.Unknown, false
}

func checkOf(result *checker.Result, a viewer) checkDocument {
	doc := checkDocument{
		Name: result.Name,
		metricDocument: metricDocument{
			Value: result.Value, Status: result.Status, Message: result.Message, Updated: stamp(result.At),
			Threshold: thresholdOf(result.Critical), Reason: result.Reason, Since: stamp(result.Since),
			Number: numberOf(result.Value, result.Measurement.Value), Unit: strings.TrimSpace(result.Measurement.Unit),
		},
		Kind: result.Kind.String(), Optional: result.Optional, Gates: result.Gates,
		Source: result.Measurement.Source, Duration: result.Duration.Seconds(),
		LastSuccess: stamp(result.LastSuccess), Expires: stamp(result.Expires), Failures: result.Failures,
	}
	if a == trusted {
		doc.Detail = errtext.Of(result.Err)
	}
	return doc
}

func thresholdOf(critical checker.Limit) string {
	if critical.IsZero() {
		return ""
	}
	return number(critical.Value())
}
