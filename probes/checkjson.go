package probes

import (
	"strconv"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/errtext"
	"github.com/vitals-go/vitals/probes/internal/response"
	"github.com/vitals-go/vitals/servicer"
)

// checkDocument is the JSON of /health/<name>: the metric's fields and those of the check's runs.
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

// checkOf renders a check for a viewer.
func checkOf(report *servicer.Report, result *checker.Result, v response.Viewer) checkDocument {
	doc := checkDocument{
		Name: result.Name,
		metricDocument: metricDocument{
			Value: result.Value, Status: result.Status, Message: result.Message, Updated: response.Time(result.At),
			Reason: result.Reason, Since: response.Time(result.Since),
		},
		Kind: result.Kind.String(), Optional: result.Optional, Gates: result.Gates,
		Source: result.Measurement.Source, Duration: result.Duration.Seconds(),
		LastSuccess: response.Time(result.LastSuccess), Expires: response.Time(result.Expires), Failures: result.Failures,
	}
	if !result.Critical.IsZero() {
		doc.Threshold = strconv.FormatFloat(result.Critical.Value(), 'f', -1, 64)
	}
	for i := range report.Metrics {
		if m := &report.Metrics[i]; m.Subject == result.Name && m.Kind == doc.Kind {
			doc.Number, doc.Unit = numberOf(m), m.Unit
		}
	}
	if v == response.Trusted {
		doc.Detail = errtext.Of(result.Err)
	}
	return doc
}
