package statuspage

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/errtext"
	"github.com/vitals-go/vitals/probes/internal/response"
	"github.com/vitals-go/vitals/servicer"
)

// view is what the page shows of one report, in its order.
type view struct {
	Title, Version string
	// Severity is the color class: healthy, warning, critical, unknown or away.
	Severity, Verdict, Sentence string
	Phase                       servicer.Phase
	Now, Started, Evaluated     time.Time
	Uptime                      string
	Revision                    uint64

	Probes      []probeView
	Maintenance []servicer.Maintenance
	Rows        []rowView
	Charts      []chart
	InFlight    uint64
	Requests    bool
	Resources   []resourceView
	Breakers    []breakerView
	Names       []nameView
	Transitions []servicer.Transition
	Watchers    int
}

type probeView struct {
	Name, Path string
	Serving    bool
	Causes     []string
}

type rowView struct {
	ID, Name, Kind, Message string
	Status                  checker.Status
	Reason                  checker.Reason
	Optional, HasRun        bool
	At, Since               time.Time
	Duration, Failures      string
	Spark                   spark
	Detail                  string
}

type resourceView struct {
	Name, Value, Source, Limit string
	Status                     checker.Status
	// Fill and Mark are per mille of the meter's length.
	Fill, Mark int
}

type breakerView struct {
	Name, State, Held  string
	Class              string
	Since, RetryAt     time.Time
	Calls              string
	Rejected, Observes string
	Detail             string
}

type nameView struct {
	Name, Status string
	Serving      bool
	Causes       []string
}

// newView returns the view of a report for a viewer.
func newView(p *Page, r response.Rendering, viewer response.Viewer) *view {
	report := r.Report
	p.history.record(report)
	v := &view{
		Title: p.cfg.Title, Version: report.Version, Phase: report.Phase, Revision: report.Revision,
		Now: r.At, Started: report.Started, Evaluated: report.EvaluatedAt, Uptime: span(r.Uptime()),
		Maintenance: report.Maintenance, Transitions: report.Transitions, Watchers: report.WatchStreams,
		Rows: rows(report, p.history, viewer), Resources: resources(report), Breakers: breakers(report, viewer), Names: names(report),
		Probes: []probeView{
			newProbeView("live", response.Live(report)), newProbeView("ready", response.Ready(report)),
			newProbeView("startup", response.Started(report)),
		},
	}
	v.Severity, v.Verdict = severity(report)
	v.Sentence = sentence(report, v.Rows)
	if report.Requests != nil && report.Requests.Total.Started > 0 {
		v.Requests, v.InFlight = true, report.Requests.Total.InFlight()
		v.Charts = charts(p.history.requests())
	}
	return v
}

func newProbeView(name string, g response.Gate) probeView {
	return probeView{Name: name, Path: name, Serving: g.Serving, Causes: response.Subjects(g.Causes)}
}

// severity returns the color class of the page and its verdict.
func severity(report *servicer.Report) (class, verdict string) {
	switch report.Phase {
	case servicer.Draining, servicer.Stopped:
		return "away", report.Phase.String()
	case servicer.Starting:
		if report.Overall != checker.Critical {
			return "unknown", report.Phase.String()
		}
	}
	return report.Overall.String(), report.Overall.String()
}

// sentence is the text below the verdict.
func sentence(report *servicer.Report, rows []rowView) string {
	text := checked(rows)
	switch report.Phase {
	case servicer.Draining:
		return "No new traffic. " + text
	case servicer.Stopped:
		return "Stopped. " + text
	default:
		return text
	}
}

// checked summarizes the checks.
func checked(rows []rowView) string {
	var bad []string
	waiting := 0
	for _, row := range rows {
		switch {
		case row.Reason == checker.ReasonNotRunYet:
			waiting++
		case row.Status != checker.Healthy:
			bad = append(bad, row.Name)
		}
	}
	switch {
	case len(rows) == 0:
		return "No checks."
	case len(bad) > 0:
		return unhealthy(bad, len(rows))
	case waiting > 0:
		return fmt.Sprintf("Not run yet: %d of %s.", waiting, plural(len(rows), "check", "checks"))
	case len(rows) == 1:
		return "The only check passes."
	default:
		return fmt.Sprintf("All %d checks pass.", len(rows))
	}
}

// unhealthy names the first three.
func unhealthy(bad []string, all int) string {
	const named = 3
	text := strings.Join(bad[:min(named, len(bad))], ", ")
	if len(bad) > named {
		text += fmt.Sprintf(" and %d more", len(bad)-named)
	}
	verb := "are"
	if len(bad) == 1 {
		verb = "is"
	}
	return fmt.Sprintf("%d of %s %s not healthy: %s", len(bad), plural(all, "check", "checks"), verb, text)
}

// rows lists the checks and every other metric that is not healthy, the worst first.
func rows(report *servicer.Report, h *history, viewer response.Viewer) []rowView {
	list := make([]rowView, 0, len(report.Checks))
	for _, check := range report.Checks {
		list = append(list, checkRow(check, h, viewer))
	}
	for i := range report.Metrics {
		m := &report.Metrics[i]
		if m.Status == checker.Healthy || hasRow(report, m) {
			continue
		}
		row := rowView{
			ID: rowID("metric", m.Name), Name: m.Name, Kind: "metric", Message: m.Message,
			Status: m.Status, Reason: m.Reason, At: m.Updated, Since: m.Since, HasRun: !m.Updated.IsZero(),
		}
		if viewer == response.Trusted {
			row.Detail = m.Detail
		}
		list = append(list, row)
	}
	slices.SortStableFunc(list, func(x, y rowView) int {
		switch {
		case x.Status.Worse(y.Status):
			return -1
		case y.Status.Worse(x.Status):
			return 1
		default:
			return cmp.Compare(x.Name, y.Name)
		}
	})
	return list
}

// hasRow reports whether the rows of checks show a metric. The one without a subject stands for several resources.
func hasRow(report *servicer.Report, m *servicer.Metric) bool {
	switch m.Kind {
	case checker.Resource.String():
		return m.Subject != "" || slices.ContainsFunc(report.Checks, func(c *checker.Result) bool {
			return c.Kind == checker.Resource && !c.Status.Serves()
		})
	case checker.Dependency.String(), checker.Process.String():
		return true
	default:
		return false
	}
}

func checkRow(check *checker.Result, h *history, viewer response.Viewer) rowView {
	row := rowView{
		ID: rowID("check", check.Name), Name: check.Name, Kind: check.Kind.String(), Message: check.Message,
		Status: check.Status, Reason: check.Reason, Optional: check.Optional,
		At: check.At, Since: check.Since, HasRun: !check.At.IsZero(),
		Spark: sparkOf(h.of(check.Name), check.Measurement.Unit != "", check.Critical.Value()),
	}
	if row.HasRun {
		row.Duration = brief(check.Duration)
	}
	if check.Failures > 1 {
		row.Failures = plural(check.Failures, "failure", "failures") + " in a row"
	}
	if viewer == response.Trusted {
		row.Detail = errtext.Of(check.Err)
	}
	return row
}

// rowID returns a unique HTML ID.
func rowID(kind, name string) string { return kind + "-" + hex.EncodeToString([]byte(name)) }
