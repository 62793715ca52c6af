package statuspage

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

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
	// Tab is the title of the document.
	Tab string
	// Severity is the color class: healthy, warning (it serves, and something is not healthy), critical, unknown or away.
	Severity, Verdict string
	Summary           []summary
	Probes            []probeView
	// Rows are the dependencies. Process, Calls and Resources are what has no place of its own in their sections.
	Rows, Process, Calls, Resources []rowView
	Charts                          []chart
	Meters                          []meter
	// Override is the text of the one in force.
	Override string
	// Services do not serve, and those of Shadow would not. Reference is what readers look up.
	Services, Shadow, Breakers list
	Reference                  []list
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

// meter is a resource that is measured.
type meter struct {
	*checker.Result

	Name, Value, Source, Detail string
	// Limit is empty without one. Fill and Mark, the value and the limit, are per mille of the meter's length.
	Limit      string
	Fill, Mark int
	Spark      spark
}

// newView returns the view of a report for a viewer.
func newView(p *Page, r response.Rendering, viewer response.Viewer) *view {
	report, trusted := r.Report, viewer == response.Trusted
	p.history.record(report)
	v := &view{
		Rendering: r, clock: clock{r.At}, Title: p.cfg.Title, Summary: summarize(report),
		Probes: []probeView{
			{"live", response.Live(report)}, {"ready", response.Ready(report)}, {"startup", response.Started(report)},
		},
		Services: services(r), Shadow: shadow(r), Breakers: breakers(r, trusted), Reference: []list{names(r), probers(r), settings(r, trusted)},
	}
	v.Severity, v.Verdict = verdict(report)
	v.Tab = v.Verdict + " · " + v.Title
	if v.Severity == "warning" {
		v.Tab = v.Verdict + ", " + report.Overall.String() + " · " + v.Title
	}
	v.addChecks(p.history, trusted)
	v.addMetrics(trusted)
	if report.Requests != nil && report.Requests.Total.Started > 0 {
		v.Charts = charts(p.history.requests())
	}
	return v
}

// addChecks puts each check in its section, the worst first.
func (v *view) addChecks(h *history, trusted bool) {
	for _, check := range v.Checks {
		row := rowView{
			Result: check, clock: v.clock, ID: rowID("check", check.Name), Kind: check.Kind.String(),
			Spark: sparkOf(h.of(check.Name), check.Measurement.Unit != "", check.Critical.Value()),
		}
		if trusted {
			row.Detail = errtext.Of(check.Err)
		}
		switch {
		case check.Kind == checker.Dependency:
			v.Rows = append(v.Rows, row)
		case check.Kind == checker.Process:
			v.Process = append(v.Process, row)
		case check.At.IsZero() || check.Measurement == (checker.Measurement{}):
			v.Resources = append(v.Resources, row)
		default:
			v.Meters = append(v.Meters, meterOf(row))
		}
	}
	for _, rows := range [][]rowView{v.Rows, v.Process, v.Resources} {
		slices.SortStableFunc(rows, func(x, y rowView) int { return worstFirst(x.Status, y.Status) })
	}
}

func worstFirst(x, y checker.Status) int {
	switch {
	case x.Worse(y):
		return -1
	case y.Worse(x):
		return 1
	default:
		return 0
	}
}

// addMetrics adds the metrics that are not healthy and that neither a check nor a breaker shows.
func (v *view) addMetrics(trusted bool) {
	for i := range v.Metrics {
		m := &v.Metrics[i]
		if m.Name == "override" && m.Value == "in_force" {
			v.Override = m.Message
			continue
		}
		if m.Status == checker.Healthy || isShown(m) {
			continue
		}
		row := rowView{
			Result: &checker.Result{Name: m.Name, Message: m.Message, Status: m.Status, Reason: m.Reason, At: m.Updated, Since: m.Since},
			clock:  v.clock, ID: rowID("metric", m.Name), Kind: "metric",
		}
		if trusted {
			row.Detail = m.Detail
		}
		switch m.Kind {
		case kindRequests:
			v.Calls = append(v.Calls, row)
		case checker.Resource.String():
			v.Resources = append(v.Resources, row)
		default:
			v.Process = append(v.Process, row)
		}
	}
}

// The kinds of metrics that are none of a check's.
const (
	kindBreaker  = "breaker"
	kindRequests = "requests"
)

// isShown reports whether the check or the breaker of a metric is on the page. A metric of that kind without a subject stands
// for several.
func isShown(m *servicer.Metric) bool {
	switch m.Kind {
	case checker.Dependency.String(), checker.Process.String():
		return true
	case checker.Resource.String(), kindBreaker:
		return m.Subject != ""
	default:
		return false
	}
}

// rowID returns a unique HTML ID.
func rowID(kind, name string) string { return kind + "-" + hex.EncodeToString([]byte(name)) }

// meterOf shows a resource against its limit. The meter's length is 100 for percentages; for others the limit lies at nine
// tenths of it.
func meterOf(row rowView) meter {
	m, limit, length := row.Measurement, row.Critical.Value(), 100.0
	if m.Unit != "%" {
		length = max(limit/0.9, m.Value, 1)
	}
	shown := meter{
		Result: row.Result, Name: cmp.Or(row.Title, row.Name), Value: row.Value, Source: m.Source, Detail: row.Detail, Spark: row.Spark,
		Fill: permille(m.Value / length), Mark: permille(limit / length),
	}
	if row.Measured() {
		shown.Value = unit.Format(row.Value, m.Unit)
	}
	if !row.Status.Serves() || m.Source == "" {
		shown.Source = strings.TrimSpace(row.Message)
	}
	if !row.Critical.IsZero() {
		shown.Limit = unit.Format(strconv.FormatFloat(limit, 'f', -1, 64), m.Unit)
		if !row.Critical.IsUpper() {
			shown.Limit = "at least " + shown.Limit
		}
	}
	return shown
}

func permille(f float64) int { return int(1000 * min(max(f, 0), 1)) }
