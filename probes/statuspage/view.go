package statuspage

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/errtext"
	"github.com/vitals-go/vitals/internal/unit"
	"github.com/vitals-go/vitals/probes/internal/response"
	"github.com/vitals-go/vitals/servicer"
)

// view is a report with what the page derives from it.
type view struct {
	response.Rendering
	clock

	Title string
	// Severity is the color class: healthy, warning, critical, unknown or away.
	Severity, Verdict, Sentence string
	// Trusted viewers see raw errors.
	Trusted   bool
	Probes    []probeView
	Rows      []rowView
	Charts    []chart
	Resources []resourceView
	Breakers  []breaker.Snapshot // the open ones first
}

type probeView struct {
	Name string
	response.Gate
}

// rowView is the result of a check, or a metric in its form.
type rowView struct {
	*checker.Result
	clock

	ID, Kind, Detail string
	Spark            spark // without a Label in the row of a metric
}

type resourceView struct {
	Name, Value, Source, Limit string
	Status                     checker.Status
	// Fill and Mark are per mille of the meter's length.
	Fill, Mark int
}

// newView returns the view of a report for a viewer.
func newView(p *Page, r response.Rendering, viewer response.Viewer) *view {
	report := r.Report
	p.history.record(report)
	v := &view{
		Rendering: r, clock: clock{r.At}, Title: p.cfg.Title, Trusted: viewer == response.Trusted,
		Rows: rows(r, p.history, viewer), Resources: resources(report), Breakers: slices.Clone(report.Breakers),
		Probes: []probeView{
			{"live", response.Live(report)}, {"ready", response.Ready(report)}, {"startup", response.Started(report)},
		},
	}
	slices.SortStableFunc(v.Breakers, func(x, y breaker.Snapshot) int {
		return cmp.Compare(y.State, x.State)
	})
	v.Severity, v.Verdict = severity(report)
	v.Sentence = sentence(report, v.Rows)
	if report.Requests != nil && report.Requests.Total.Started > 0 {
		v.Charts = charts(p.history.requests())
	}
	return v
}

// severity returns the color class of the page and its headline.
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

// sentence is the text below the headline.
func sentence(report *servicer.Report, rows []rowView) string {
	switch report.Phase {
	case servicer.Draining:
		return "No new traffic. " + checked(rows)
	case servicer.Stopped:
		return "Stopped. " + checked(rows)
	default:
		return checked(rows)
	}
}

// checked summarizes the checks. It names the first three that are not healthy.
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
	all := plural(uint64(len(rows)), "check")
	switch n := len(bad); {
	case len(rows) == 0:
		return "No checks."
	case n == 1:
		return fmt.Sprintf("1 of %s is not healthy: %s", all, bad[0])
	case n > 3:
		return fmt.Sprintf("%d of %s are not healthy: %s and %d more", n, all, strings.Join(bad[:3], ", "), n-3)
	case n > 1:
		return fmt.Sprintf("%d of %s are not healthy: %s", n, all, strings.Join(bad, ", "))
	case waiting > 0:
		return fmt.Sprintf("Not run yet: %d of %s.", waiting, all)
	case len(rows) == 1:
		return "The only check passes."
	default:
		return fmt.Sprintf("All %s pass.", all)
	}
}

// rows lists the checks and every other metric that is not healthy, the worst first, and of these resources that gate nothing last.
func rows(r response.Rendering, h *history, viewer response.Viewer) []rowView {
	report := r.Report
	list := make([]rowView, 0, len(report.Checks))
	for _, check := range report.Checks {
		list = append(list, rowView{
			Result: check, ID: rowID("check", check.Name), Kind: check.Kind.String(), Detail: errtext.Of(check.Err),
			Spark: sparkOf(h.of(check.Name), check.Measurement.Unit != "", check.Critical.Value()),
		})
	}
	for _, m := range report.Metrics {
		if m.Status == checker.Healthy || hasRow(report, &m) {
			continue
		}
		result := &checker.Result{Name: m.Name, Message: m.Message, Status: m.Status, Reason: m.Reason, At: m.Updated, Since: m.Since}
		list = append(list, rowView{Result: result, ID: rowID("metric", m.Name), Kind: "metric", Detail: m.Detail})
	}
	for i := range list {
		list[i].now = r.At
		if viewer != response.Trusted {
			list[i].Detail = ""
		}
	}
	slices.SortStableFunc(list, func(x, y rowView) int {
		switch {
		case x.Status.Worse(y.Status):
			return -1
		case y.Status.Worse(x.Status):
			return 1
		default:
			return cmp.Or(cmp.Compare(x.last(), y.last()), cmp.Compare(x.Name, y.Name))
		}
	})
	return list
}

// last is 1 for a resource that gates nothing, else 0.
func (r *rowView) last() int {
	if r.Kind == checker.Resource.String() && len(r.Gates) == 0 {
		return 1
	}
	return 0
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

// rowID returns a unique HTML ID.
func rowID(kind, name string) string { return kind + "-" + hex.EncodeToString([]byte(name)) }

// resources shows each measured resource against its limit. The meter's length is 100 for percentages; for others the limit
// lies at nine tenths of it.
func resources(report *servicer.Report) []resourceView {
	var list []resourceView
	for _, check := range report.Checks {
		m, limit, length := check.Measurement, check.Critical.Value(), 100.0
		if check.Kind != checker.Resource || check.At.IsZero() || m == (checker.Measurement{}) {
			continue
		}
		if m.Unit != "%" {
			length = max(limit/0.9, m.Value, 1)
		}
		r := resourceView{
			Name: cmp.Or(check.Title, check.Name), Value: check.Value, Source: m.Source, Status: check.Status,
			Fill: permille(m.Value / length), Mark: permille(limit / length),
		}
		if check.Measured() {
			r.Value = unit.Format(check.Value, m.Unit)
		}
		if !check.Critical.IsZero() {
			r.Limit = unit.Format(strconv.FormatFloat(limit, 'f', -1, 64), m.Unit)
			if !check.Critical.IsUpper() {
				r.Limit = "at least " + r.Limit
			}
		}
		list = append(list, r)
	}
	return list
}

func permille(f float64) int { return int(1000 * min(max(f, 0), 1)) }
