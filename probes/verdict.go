package probes

import (
	"slices"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// healthy is the verdict of /health: the overall status serves and the process is not on its way out. A strict
// caller takes a warning for a failure.
func healthy(report *servicer.Report, strict bool) bool {
	if report.Phase >= servicer.Draining {
		return false
	}
	if strict {
		return report.Overall == checker.Healthy
	}
	return report.Overall.Serves()
}

// gate is the verdict of one probe over one edition.
type gate struct {
	serving bool
	// causes lists what keeps the probe from serving; empty when it serves.
	causes []servicer.Cause
	// checks that gate the probe, in the order of the report.
	checks []*checker.Result
}

// live is the verdict of /live. A report that does not know the name proves at least that the process answers.
func live(report *servicer.Report) gate {
	g, known := gateOf(report, checker.Liveness)
	if !known {
		g.serving = true
	}
	return g
}

// ready is the verdict of /ready.
func ready(report *servicer.Report) gate {
	g, _ := gateOf(report, checker.Readiness)
	return g
}

// started is the verdict of /startup. The name startup stops serving during a drain, but start-up is over by then and
// stays over.
func started(report *servicer.Report) gate {
	g, _ := gateOf(report, checker.Startup)
	if report.Startup {
		return gate{serving: true, checks: g.checks}
	}
	return g
}

func ofCheck(cause servicer.Cause) bool { return cause.Check != "" }

func gateOf(report *servicer.Report, name string) (g gate, known bool) {
	for _, check := range report.Checks {
		if slices.Contains(check.Gates, name) {
			g.checks = append(g.checks, check)
		}
	}
	entry, known := report.Lookup(name)
	if known {
		g.serving = entry.Status == healthpb.HealthCheckResponse_SERVING
	}
	if known && !g.serving {
		g.causes = entry.Causes
	}
	return g, known
}

// without returns the verdict with the checks that drop names left out. Only what checks are to blame for can be left
// out: a phase, maintenance or the application's own word stays.
func (g gate) without(drop func(check string) bool) gate {
	rest := gate{serving: g.serving}
	for _, cause := range g.causes {
		if !ofCheck(cause) || !drop(cause.Check) {
			rest.causes = append(rest.causes, cause)
		}
	}
	if len(g.causes) > 0 && len(rest.causes) == 0 {
		rest.serving = true
	}
	for _, check := range g.checks {
		if !drop(check.Name) {
			rest.checks = append(rest.checks, check)
		}
	}
	return rest
}

// known returns the names whose exclusion could make a difference.
func (g gate) known() set {
	known := make(set, len(g.checks)+len(g.causes))
	for _, check := range g.checks {
		known[check.Name] = struct{}{}
	}
	for _, cause := range g.causes {
		if ofCheck(cause) {
			known[cause.Check] = struct{}{}
		}
	}
	return known
}
