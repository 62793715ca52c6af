package statuspage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes/internal/response"
	"github.com/vitals-go/vitals/servicer"
)

// verdict returns the color class of the page and its headline, which says whether traffic comes here.
func verdict(report *servicer.Report) (class, headline string) {
	const away = "away"
	switch report.Phase {
	case servicer.Draining:
		return away, "Draining"
	case servicer.Stopped:
		return away, "Stopped"
	case servicer.Starting:
		if report.Overall == checker.Critical {
			return report.Overall.String(), "Starting"
		}
		return checker.Unknown.String(), "Starting"
	case servicer.Ready:
	}
	ready := response.Ready(report)
	switch {
	case ready.Serving && report.Overall == checker.Healthy:
		return report.Overall.String(), "Serving"
	case ready.Serving:
		return checker.Warning.String(), "Serving"
	case report.Standby:
		return away, "Standby"
	case inMaintenance(report):
		return away, "In maintenance"
	default:
		return checker.Critical.String(), "Not serving"
	}
}

func inMaintenance(report *servicer.Report) bool {
	return slices.ContainsFunc(report.Maintenance, func(m servicer.Maintenance) bool {
		return m.Name == "" || m.Name == checker.Readiness
	})
}

// summary is a part of the text below the headline: what has a status, or a sentence.
type summary struct{ Status, Text string }

// summarize says why traffic does not come, and what is not healthy.
func summarize(report *servicer.Report) []summary {
	var all []summary
	ready := response.Ready(report)
	if causes := causes(ready.Causes); report.Phase == servicer.Ready && causes != "" {
		all = append(all, summary{"", "held back by " + causes})
	}
	waiting := 0
	bad := map[checker.Status][]string{}
	for _, check := range report.Checks {
		if check.Reason == checker.ReasonNotRunYet {
			waiting++
		} else {
			bad[check.Status] = append(bad[check.Status], check.Name)
		}
	}
	for i := range report.Metrics {
		if m := &report.Metrics[i]; m.Status != checker.Healthy && !followsCheck(report, m) {
			bad[m.Status] = append(bad[m.Status], m.Name)
		}
	}
	for _, status := range []checker.Status{checker.Critical, checker.Unknown, checker.Warning} {
		if names := bad[status]; len(names) > 0 {
			slices.Sort(names)
			all = append(all, summary{status.String(), firstOf(names)})
		}
	}
	switch n := len(report.Checks); {
	case waiting > 0:
		all = append(all, summary{"", fmt.Sprintf("waiting for the first result of %d of %s", waiting, plural(uint64(n), "check"))})
	case n == 0:
		all = append(all, summary{"", "no checks"})
	case len(bad[checker.Healthy]) == n && n == 1:
		all = append(all, summary{"", "the only check passes"})
	case len(bad[checker.Healthy]) == n:
		all = append(all, summary{"", fmt.Sprintf("all %d checks pass", n)})
	}
	return all
}

// followsCheck reports whether a check that the summary names stands for a metric: it is the check's own, or that of the
// breaker of a check that is not healthy either.
func followsCheck(report *servicer.Report, m *servicer.Metric) bool {
	switch m.Kind {
	case checker.Dependency.String(), checker.Process.String():
		return true
	case checker.Resource.String():
		return m.Subject != ""
	default:
		return m.Kind == kindBreaker && slices.ContainsFunc(report.Checks, func(c *checker.Result) bool {
			return c.Name == m.Subject && c.Status != checker.Healthy
		})
	}
}

// sentence is the headline with its summary as one text.
func sentence(headline string, all []summary) string {
	parts := make([]string, len(all))
	for i, s := range all {
		parts[i] = strings.TrimPrefix(s.Status+": "+s.Text, ": ")
	}
	return headline + ". " + strings.Join(parts, "; ")
}

// causes lists what keeps a name from serving in one line, with the first three of many.
func causes(list []servicer.Cause) string {
	subjects := make([]string, len(list))
	for i, cause := range list {
		subjects[i] = response.Subject(cause)
	}
	return firstOf(subjects)
}

// firstOf joins names, the first three of many. The empty one is that of the whole server.
func firstOf(names []string) string {
	const most = 3
	shown := make([]string, 0, most)
	for _, name := range names[:min(len(names), most)] {
		shown = append(shown, cmp.Or(name, "“”"))
	}
	text := strings.Join(shown, ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
