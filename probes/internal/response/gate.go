package response

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// Healthy is the result of /health: the overall status serves and the process is not draining. If strict, a warning
// fails.
func Healthy(report *servicer.Report, strict bool) bool {
	if report.Phase >= servicer.Draining {
		return false
	}
	if strict {
		return report.Overall == checker.Healthy
	}
	return report.Overall.Serves()
}

// Switch reports whether a query parameter is present and not 0, false or no.
func Switch(values url.Values, name string) bool {
	given, present := values[name]
	return present && !slices.Contains([]string{"0", "false", "no"}, given[0])
}

// Gate is the result of one probe.
type Gate struct {
	Serving bool
	// Causes keep the probe from serving; empty when it serves.
	Causes []servicer.Cause
	// Checks that gate the probe, in the order of the report.
	Checks []*checker.Result
}

// Live is the result of /live. Without the name liveness it serves, because the process responds.
func Live(report *servicer.Report) Gate {
	g, known := gateOf(report, checker.Liveness)
	g.Serving = g.Serving || !known
	return g
}

// Ready is the result of /ready.
func Ready(report *servicer.Report) Gate {
	g, _ := gateOf(report, checker.Readiness)
	return g
}

// Started is the result of /startup. It is latched: the name startup stops serving during a drain, /startup does not.
func Started(report *servicer.Report) Gate {
	g, _ := gateOf(report, checker.Startup)
	if report.StartupComplete {
		return Gate{Serving: true, Checks: g.Checks}
	}
	return g
}

func gateOf(report *servicer.Report, name string) (g Gate, known bool) {
	for _, check := range report.Checks {
		if slices.Contains(check.Gates, name) {
			g.Checks = append(g.Checks, check)
		}
	}
	entry, known := report.Lookup(name)
	if known {
		g.Serving, g.Causes = entry.Status == healthpb.HealthCheckResponse_SERVING, entry.Causes
	}
	return g, known
}

// Subject names a cause in one line.
func Subject(cause servicer.Cause) string {
	return Line(cmp.Or(cause.Check, cause.Text, cause.Reason.String()))
}

// Line replaces what would break a line by spaces.
func Line(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
}
