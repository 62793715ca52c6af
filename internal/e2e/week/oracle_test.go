package week

import (
	"testing"
	"time"

	"github.com/vitals-go/vitals/internal/e2e/oracle"
	"github.com/vitals-go/vitals/servicer"
)

// need is one dependency, and what its failure does by the rules of judgement.
type need struct {
	name     string
	optional bool
	gates    string // a single service, if not readiness
	span     time.Duration
}

var needs = []need{
	{name: "auth"},
	{name: "cache", optional: true},
	{name: "database"},
	{name: "ledger"},
	{name: "mail", optional: true},
	{name: "payments", span: 4 * time.Minute}, // its breaker waits for up to a minute and a quarter
	{name: "queue", gates: orders},
	{name: "search", optional: true},
	{name: "steady"},
}

// expected is what the script says must be reported at a moment. The process has been up for the given time. What
// changed a moment ago is undecided, and so is everything soon after the start.
func (w *scenario) expected(t, up time.Duration) oracle.Expected {
	if up < settled {
		return oracle.Expected{}
	}
	world := oracle.World{Services: []string{orders}}
	for _, n := range needs {
		world.Checks = append(world.Checks, oracle.Check{
			Name: n.name, Optional: n.optional, Gates: n.gates, Outcome: w.outcome(n.name, t, up, max(n.span, settled)),
		})
	}
	world.Checks = append(world.Checks,
		oracle.Check{Name: "loop", Gates: oracle.Liveness, Outcome: w.outcome("loop", t, up, settled)},
		oracle.Check{Name: "cpu_usage", Gates: oracle.Nothing, Outcome: w.outcome("cpu_usage", t, up, measured)})
	for _, m := range w.windows { // their edges are exact
		if m.from < t && t < m.to {
			world.Maintenance = append(world.Maintenance, m.name)
		}
	}
	return world.Evaluate()
}

// outcome is that of a check that has been in one state for span.
func (w *scenario) outcome(name string, t, up, span time.Duration) oracle.Outcome {
	state, sure := w.sure(name, t, span)
	switch {
	case !sure, up < span, state == flapping:
		return oracle.Undecided
	case state == well, state == slow:
		return oracle.Passing
	default:
		return oracle.Failing
	}
}

// compare returns how many facts of the report were compared.
func compare(t *testing.T, want oracle.Expected, r *servicer.Report, at time.Duration) (facts int) {
	t.Helper()
	c, checks, names := oracle.Compare(want), map[string]string{}, map[string]string{}
	for _, check := range r.Checks {
		checks[check.Name] = check.Status.String()
	}
	for name := range want.Names {
		if n, known := r.Lookup(name); known {
			names[name] = n.Status.String()
		}
	}
	c.Report("report", r.Overall.String(), checks)
	c.Statuses("report", names)
	if err := c.Err(); err != nil {
		t.Errorf("at %v: %v", at, err)
	}
	counts := map[string]int{}
	c.Counts(counts)
	return counts["report"]
}
