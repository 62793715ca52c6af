package week

import (
	"strings"
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
	{name: "payments", span: settled + 2*time.Minute}, // its breaker waits for up to a minute and a quarter
	{name: "queue", gates: orders},
	{name: "search", optional: true},
	{name: "steady"},
}

// expected is what the script says must be reported at a moment. The process has been up for the given time. What
// changed a moment ago is undecided, and so is everything soon after the start.
func (s *shop) expected(t time.Duration) oracle.Expected {
	w, up := s.scenario, t-s.born
	if up < settled {
		return oracle.Expected{}
	}
	world := oracle.World{
		Started: true, HideChecks: s.hidden, Services: s.services, Manual: s.manual, Shutdown: s.shutdown,
		Breakers: map[string]string{"reserve": s.reserve()},
	}
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

// reserve is the state of the breaker that the operator opens and closes.
func (s *shop) reserve() string {
	if s.reserveOpen {
		return "open"
	}
	return "closed"
}

// compare compares a report, besides what c has compared before, and returns the number of comparisons.
func compare(t *testing.T, c *oracle.Comparison, r *servicer.Report, at time.Duration) (facts int) {
	t.Helper()
	checks, names := map[string]string{}, map[string]string{}
	for i := range r.Metrics {
		m := &r.Metrics[i]
		if m.Kind == "breaker" {
			c.Equal("report", m.Name, m.Value, c.Breakers[m.Subject])
		}
		checks[strings.TrimPrefix(m.Name, "dependency_")] = m.Status.String()
	}
	for name := range c.Names {
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
	for _, n := range counts {
		facts += n
	}
	return facts
}
