package probes

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/errtext"
	"github.com/vitals-go/vitals/servicer"
)

// view is everything that the page shows of one edition, in the order in which it is shown.
type view struct {
	Title, Version string
	// Mood is the class that colours the page: healthy, warning, critical, unknown or away.
	Mood, Verdict, Sentence string
	Phase                   servicer.Phase
	Now, Started, Evaluated time.Time
	Uptime                  string
	Revision                uint64

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
	OK         bool
	Because    []string
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
	Since, NextTry     time.Time
	Calls              string
	Rejected, Observes string
	Detail             string
}

type nameView struct {
	Name, Status string
	Serving      bool
	Because      []string
}

// newView gathers what the page shows.
func newView(title string, e *rendered, h *history, a viewer) *view {
	report := e.report
	v := &view{
		Title: title, Version: report.Version, Phase: report.Phase, Revision: report.Revision,
		Now: e.at, Started: report.Started, Evaluated: report.EvaluatedAt, Uptime: span(e.uptime()),
		Maintenance: report.Maintenance, Transitions: report.Transitions, Watchers: report.WatchStreams,
		Rows: rows(report, h, a), Resources: resources(report), Breakers: breakers(report, a), Names: names(report),
	}
	v.Probes = []probeView{
		newProbeView("live", e.live.gate), newProbeView("ready", e.ready.gate), newProbeView("startup", e.startup.gate),
	}
	v.Mood, v.Verdict = severity(report)
	v.Sentence = sentence(report, v.Rows)
	if report.Requests != nil && report.Requests.Total.Started > 0 {
		v.Requests, v.InFlight = true, report.Requests.Total.InFlight()
		v.Charts = charts(h.requests())
	}
	return v
}

func newProbeView(name string, g gate) probeView {
	p := probeView{Name: name, Path: name, OK: g.serving}
	for _, cause := range g.causes {
		p.Because = append(p.Because, subject(cause))
	}
	return p
}

// severity is the page's colour and its one word.
func severity(report *servicer.Report) (class, word string) {
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

// sentence says what the verdict rests on.
func sentence(report *servicer.Report, rows []rowView) string {
	text := checked(rows)
	switch report.Phase {
	case servicer.Draining:
		return "No new calls should come. " + text
	case servicer.Stopped:
		return "It has ended. " + text
	default:
		return text
	}
}

// checked says how the checks are.
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
		return "Nothing is being checked."
	case len(bad) > 0:
		return spoiled(bad, len(rows))
	case waiting > 0:
		return fmt.Sprintf("Not asked yet: %d of %s.", waiting, plural(len(rows), "check", "checks"))
	case len(rows) == 1:
		return "The only check passes."
	default:
		return fmt.Sprintf("All %d checks pass.", len(rows))
	}
}

// spoiled names the first of the bad ones.
func spoiled(bad []string, all int) string {
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

// rows lists the checks and every other metric that is not healthy, the worst first. Breakers have a table of their
// own, but one that spoils the verdict is shown here too.
func rows(report *servicer.Report, h *history, a viewer) []rowView {
	list := make([]rowView, 0, len(report.Checks))
	covered := make(map[string]bool, len(report.Checks))
	for _, check := range report.Checks {
		covered[check.Name], covered["dependency_"+check.Name] = true, true
		list = append(list, checkRow(check, h, a))
		if check.Kind == checker.Resource && !check.Status.Serves() {
			covered["system_resources"] = true
		}
	}
	for i := range report.Metrics {
		m := &report.Metrics[i]
		if covered[m.Name] || m.Status == checker.Healthy {
			continue
		}
		row := rowView{
			ID: rowID("metric", m.Name), Name: m.Name, Kind: "metric", Message: m.Message,
			Status: m.Status, Reason: m.Reason, At: m.Updated, Since: m.Since, HasRun: !m.Updated.IsZero(),
		}
		if a == trusted {
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

func checkRow(check *checker.Result, h *history, a viewer) rowView {
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
	if a == trusted {
		row.Detail = errtext.Of(check.Err)
	}
	return row
}

// rowID makes a name fit for an HTML id and for a key that no other row has.
func rowID(kind, name string) string { return kind + "-" + hex.EncodeToString([]byte(name)) }
