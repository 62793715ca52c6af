package statuspage

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/unit"
	"github.com/vitals-go/vitals/internal/wallclock"
	"github.com/vitals-go/vitals/probes/internal/response"
	"github.com/vitals-go/vitals/servicer"
)

// newTemplate parses the embedded page; a test executes all of it.
func newTemplate() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"span":   span,
		"brief":  brief,
		"names":  enumerated,
		"number": number,
		"causes": causes,
	}).Parse(pageHTML))
}

// clock formats times for a page rendered at now: the script shows how long before now they lie, which must stay right when
// the wall clock has been set.
type clock struct{ now time.Time }

// Stamp returns t for the script.
func (c clock) Stamp(t time.Time) string { return response.Time(wallclock.On(c.now, t)) }

// Clock returns t for readers without a script.
func (c clock) Clock(t time.Time) string {
	return wallclock.On(c.now, t).UTC().Format("2006-01-02 15:04:05 UTC")
}

// decimal formats a number with one decimal below 10 and none above.
func decimal(f float64) string {
	if f == 0 || f >= 10 {
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
	return strconv.FormatFloat(f, 'f', 1, 64)
}

// brief formats a duration with two or three digits.
func brief(d time.Duration) string {
	switch {
	case d <= 0:
		return "0 ms"
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	default:
		return span(d)
	}
}

// span formats a long duration in its two greatest units.
func span(d time.Duration) string {
	d = d.Round(time.Second)
	days, hours, minutes, seconds := int(d.Hours())/24, int(d.Hours())%24, int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%d min %d s", minutes, seconds)
	default:
		return fmt.Sprintf("%d s", seconds)
	}
}

// plural formats a number with its noun.
func plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// enumerated joins names; the empty one is that of the whole server.
func enumerated(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = cmp.Or(name, "“”")
	}
	return strings.Join(quoted, ", ")
}

// colorOf returns the color of a severity.
func colorOf(severity string) string {
	return cmp.Or(map[string]string{"healthy": "15803d", "warning": "b45309", "critical": "b91c1c"}[severity], "6b7280")
}

// iconSVG is the page's favicon in the color of the severity.
func iconSVG(severity string) []byte {
	return []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="#` + colorOf(severity) + `"/></svg>`)
}

// badgeSVG draws the overall status, or the phase if that says more. Its texts need no escaping.
func badgeSVG(report *servicer.Report) []byte {
	class, word := report.Overall.String(), report.Overall.String()
	if report.Phase >= servicer.Draining || report.Phase == servicer.Starting && report.Overall != checker.Critical {
		class, word = "unknown", report.Phase.String()
	}
	const label = 52
	width := 7*len(word) + 16
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="20" role="img" aria-label="health: %[4]s">`+
		`<title>health: %[4]s</title><clipPath id="r"><rect width="%[1]d" height="20" rx="4"/></clipPath>`+
		`<g clip-path="url(#r)"><rect width="%[2]d" height="20" fill="#374151"/><rect x="%[2]d" width="%[3]d" height="20" fill="#%[5]s"/></g>`+
		`<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">`+
		`<text x="%[6]d" y="14">health</text><text x="%[7]d" y="14">%[4]s</text></g></svg>`,
		label+width, label, width, word, colorOf(class), label/2, label+width/2)
}

// number formats a value of a check with its unit and at most three decimals.
func number(v checker.Value) string {
	return unit.Format(strconv.FormatFloat(math.Round(v.Number*1000)/1000, 'f', -1, 64), v.Unit)
}
