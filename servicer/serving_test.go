package servicer

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
)

const (
	orders = "shop.v1.Orders"
	carts  = "shop.v1.Carts"
)

func TestServingNamesByStatus(t *testing.T) {
	t.Parallel()
	failing := func(gates ...string) *checker.Result {
		return result("x", checker.Critical, checker.ReasonError, gates...)
	}
	const all = `"" "liveness" "readiness" "shop.v1.Carts" "shop.v1.Orders" "startup"`
	for name, tc := range map[string]struct {
		check *checker.Result
		want  string // "x" is the check's own name
	}{
		"nothing gates":               {result("x", checker.Healthy, checker.ReasonOK, checker.Readiness), all + ` "x"`},
		"a warning serves":            {result("x", checker.Warning, checker.ReasonTimeout, checker.Readiness), all + ` "x"`},
		"critical gates readiness":    {failing(checker.Readiness), `"liveness" "startup"`},
		"unknown gates readiness":     {result("x", checker.Unknown, checker.ReasonStale, checker.Readiness), `"liveness" "startup"`},
		"an optional check":           {optional(failing(checker.Readiness)), all},
		"a resource":                  {resource(failing()), all},
		"a process check":             {process(failing(checker.Liveness)), strings.ReplaceAll(all, `"liveness" `, "")},
		"nobody is killed unasked":    {process(result("x", checker.Unknown, checker.ReasonNotRunYet, checker.Liveness)), all},
		"a stale heartbeat":           {process(result("x", checker.Unknown, checker.ReasonStale, checker.Liveness)), strings.ReplaceAll(all, `"liveness" `, "")},
		"one service":                 {failing(orders), strings.ReplaceAll(all, `"shop.v1.Orders" `, "")},
		"startup is over once":        {failing(checker.Startup), all},
		"liveness and readiness both": {failing(checker.Liveness, checker.Readiness), `"startup"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := ready(tc.check)
			e.services = []string{carts, orders}
			if got := servingNames(plainEvaluator().reportOf(e)); got != tc.want {
				t.Errorf("serving %s\nwant    %s", got, tc.want)
			}
		})
	}
}

func TestServingNamesByPhase(t *testing.T) {
	t.Parallel()
	for phase, want := range map[Phase]string{
		Starting: `"database" "liveness"`,
		Ready:    `"" "database" "liveness" "readiness" "shop.v1.Orders" "startup"`,
		Draining: `"liveness"`,
		Stopped:  `"liveness"`,
	} {
		e := ready(result("database", checker.Healthy, checker.ReasonOK, checker.Readiness))
		e.services, e.phase, e.startup.over = []string{orders}, phase, phase != Starting
		report := plainEvaluator().reportOf(e)
		if got := servingNames(report); got != want {
			t.Errorf("%v: serving %s, want %s", phase, got, want)
		}
		if n, _ := report.Lookup(orders); phase != Ready && (len(n.Causes) != 1 || n.Causes[0].Text != phase.String()) {
			t.Errorf("%v: because %+v", phase, n.Causes)
		}
	}
}

func TestStartupServesAfterItsChecksPassed(t *testing.T) {
	t.Parallel()
	waiting := result("database", checker.Unknown, checker.ReasonNotRunYet, checker.Readiness)
	cold := result("cache", checker.Critical, checker.ReasonError, checker.Startup)
	e := ready(cold, waiting)
	e.phase, e.startup.over = Starting, false
	n, _ := plainEvaluator().reportOf(e).Lookup("startup")
	var checks []string
	for _, c := range n.Causes {
		checks = append(checks, c.Check)
	}
	if !slices.Equal(checks, []string{"", "cache", "database"}) {
		t.Errorf("because %+v", n.Causes)
	}
}

func TestCausesNameCheckAndReason(t *testing.T) {
	t.Parallel()
	check := result("database", checker.Critical, checker.ReasonTimeout, checker.Readiness)
	check.Err = errSecret
	e := ready(check)
	e.services = []string{orders}
	n, _ := plainEvaluator().reportOf(e).Lookup(orders)
	want := Cause{Check: "database", Reason: checker.ReasonTimeout, Text: "Dependency database is judged"}
	if !slices.Equal(n.Causes, []Cause{want}) {
		t.Errorf("because %+v, want %+v", n.Causes, want)
	}
	if got := n.explain(); got != "database: Dependency database is judged" {
		t.Errorf("explain = %q", got)
	}
}

func TestHiddenChecksAreNoNames(t *testing.T) {
	t.Parallel()
	rules := plainEvaluator()
	rules.hideChecks = true
	report := rules.reportOf(ready(result("database", checker.Critical, checker.ReasonError, checker.Readiness)))
	if _, found := report.Lookup("database"); found {
		t.Error("the check's name is known")
	}
	if ready, _ := report.Lookup("readiness"); ready.Status != notServing {
		t.Error("a hidden check gates nothing")
	}
}

func TestServiceNameWinsOverCheckName(t *testing.T) {
	t.Parallel()
	e := ready(result(orders, checker.Healthy, checker.ReasonOK, checker.Readiness), result("x", checker.Critical, checker.ReasonError, orders))
	e.services = []string{orders}
	report := plainEvaluator().reportOf(e)
	found := 0
	for _, n := range report.Names {
		if n.Name == orders {
			found++
		}
	}
	if n, _ := report.Lookup(orders); found != 1 || n.Status != notServing {
		t.Errorf("found %d times, %+v", found, n)
	}
}

func TestManualStatusAndChecksTogether(t *testing.T) {
	t.Parallel()
	word := func(name string, status healthpb.HealthCheckResponse_ServingStatus) map[string]healthpb.HealthCheckResponse_ServingStatus {
		return map[string]healthpb.HealthCheckResponse_ServingStatus{name: status}
	}
	healthy := result("database", checker.Healthy, checker.ReasonOK, checker.Readiness)
	failing := result("database", checker.Critical, checker.ReasonError, checker.Readiness)
	for name, tc := range map[string]struct {
		check *checker.Result
		words map[string]healthpb.HealthCheckResponse_ServingStatus
		name  string
		want  healthpb.HealthCheckResponse_ServingStatus
	}{
		"it can take a service out":           {healthy, word(orders, notServing), orders, notServing},
		"it cannot keep a failing one in":     {failing, word(orders, serving), orders, notServing},
		"a name of its own is a service":      {failing, word("plugin", serving), "plugin", notServing},
		"a name of its own serves":            {healthy, word("plugin", serving), "plugin", serving},
		"it says what it likes":               {healthy, word("plugin", healthpb.HealthCheckResponse_UNKNOWN), "plugin", healthpb.HealthCheckResponse_UNKNOWN},
		"a check's name is no service's name": {failing, word("database", serving), "database", notServing},
		"it can take liveness out":            {healthy, word("liveness", notServing), "liveness", notServing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := ready(tc.check)
			e.services, e.manual = []string{orders}, tc.words
			n, found := plainEvaluator().reportOf(e).Lookup(tc.name)
			if !found || n.Status != tc.want {
				t.Errorf("name = %+v", n)
			}
			if (n.Status == serving) != (len(n.Causes) == 0) {
				t.Errorf("%v because %+v", n.Status, n.Causes)
			}
		})
	}
}

func TestShutdownKeepsLiveness(t *testing.T) {
	t.Parallel()
	e := ready(result("database", checker.Healthy, checker.ReasonOK, checker.Readiness))
	e.shutdown = true
	if got := servingNames(plainEvaluator().reportOf(e)); got != `"liveness"` {
		t.Errorf("serving: %s", got)
	}
}

func TestMaintenanceTakesOut(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"":         `"database" "liveness" "startup"`,
		orders:     `"" "database" "liveness" "readiness" "shop.v1.Carts" "startup"`,
		"database": `"" "liveness" "readiness" "shop.v1.Carts" "shop.v1.Orders" "startup"`,
	} {
		e := ready(result("database", checker.Healthy, checker.ReasonOK, checker.Readiness))
		e.services = []string{carts, orders}
		e.maintenance = []Maintenance{{Name: name, Reason: "moving house", Until: noon.Add(1)}}
		report := plainEvaluator().reportOf(e)
		if got := servingNames(report); got != want {
			t.Errorf("%q: serving %s, want %s", name, got, want)
		}
		n, _ := report.Lookup(name)
		if want := []Cause{{Reason: checker.ReasonMaintenance, Text: "maintenance: moving house"}}; !slices.Equal(n.Causes, want) {
			t.Errorf("%q: because %+v", name, n.Causes)
		}
		if len(report.Maintenance) != 1 {
			t.Errorf("%q: maintenance is not reported", name)
		}
	}
}

// anything makes evidence up.
func anything(r *rand.Rand) *inputs {
	gates := []string{checker.Readiness, checker.Liveness, checker.Startup, orders}
	e := ready()
	e.services = []string{carts, orders}
	e.phase = Phase(r.IntN(4))
	e.startup.over = e.phase != Starting
	for i := range r.IntN(6) {
		c := result(string(rune('a'+i)), checker.Status(r.IntN(4)), checker.Reason(r.IntN(10)))
		c.Kind, c.Optional = checker.Kind(r.IntN(3)), r.IntN(3) == 0
		for _, gate := range gates {
			if r.IntN(3) == 0 {
				c.Gates = append(c.Gates, gate)
			}
		}
		e.checks = append(e.checks, c)
	}
	return e
}

// TestEvaluationInvariantsForRandomInputs changes one check of made-up evidence and looks at what that does.
func TestEvaluationInvariantsForRandomInputs(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		e := anything(r)
		report := plainEvaluator().reportOf(e)
		checkInvariants(t, e, report)
		if len(e.checks) == 0 {
			continue
		}
		i := r.IntN(len(e.checks))
		worse := *e.checks[i]
		worse.Status, worse.Reason = checker.Critical, checker.ReasonError
		changed := *e
		changed.checks = slices.Clone(e.checks)
		changed.checks[i] = &worse
		after := plainEvaluator().reportOf(&changed)
		if report.Overall.Worse(after.Overall) {
			t.Fatalf("a failing check improved the overall status from %v to %v", report.Overall, after.Overall)
		}
		for j, n := range report.Names {
			if n.Status != serving && after.Names[j].Status == serving && n.Name != checker.Liveness {
				t.Fatalf("a failing check made %q serve: %+v", n.Name, e.checks[i])
			}
			if worse.Optional && n.Name != worse.Name && n.Status != after.Names[j].Status {
				t.Fatalf("the optional check %q changed %q", worse.Name, n.Name)
			}
		}
	}
}

func checkInvariants(t *testing.T, e *inputs, report *Report) {
	t.Helper()
	if !slices.IsSortedFunc(report.Names, func(a, b ServingName) int { return strings.Compare(a.Name, b.Name) }) {
		t.Fatal("names are not sorted")
	}
	if !slices.IsSortedFunc(report.Metrics, func(a, b Metric) int { return strings.Compare(a.Name, b.Name) }) {
		t.Fatal("metrics are not sorted")
	}
	for _, n := range report.Names {
		if (n.Status == serving) != (len(n.Causes) == 0) {
			t.Fatalf("%q is %v because %+v", n.Name, n.Status, n.Causes)
		}
		if n.Status == serving && e.phase >= Draining && n.Name != checker.Liveness {
			t.Fatalf("%q serves while %v", n.Name, e.phase)
		}
	}
	live, _ := report.Lookup(checker.Liveness)
	for _, cause := range live.Causes {
		for _, c := range e.checks {
			if c.Name == cause.Check && !slices.Contains(c.Gates, checker.Liveness) {
				t.Fatalf("%q kills the process", c.Name)
			}
		}
	}
	overall, _ := report.Lookup("")
	readiness, _ := report.Lookup(checker.Readiness)
	if overall.Status != readiness.Status {
		t.Fatalf("%q is %v, readiness %v", "", overall.Status, readiness.Status)
	}
}

func TestStartup(t *testing.T) {
	t.Parallel()
	const unrun, fine, bad = "unrun", "fine", "bad"
	database := func(state string) *checker.Result {
		switch state {
		case unrun:
			return result("database", checker.Unknown, checker.ReasonNotRunYet, checker.Readiness)
		case fine:
			return result("database", checker.Healthy, checker.ReasonOK, checker.Readiness)
		default:
			return result("database", checker.Critical, checker.ReasonError, checker.Readiness)
		}
	}
	warm := func(name, state string) *checker.Result {
		c := database(state)
		c.Name, c.Gates = name, []string{checker.Startup}
		return c
	}
	for name, tc := range map[string]struct {
		rounds [][]*checker.Result
		over   []bool
	}{
		"no checks":                        {[][]*checker.Result{{}}, []bool{true}},
		"the first result ends it":         {[][]*checker.Result{{database(unrun)}, {database(bad)}}, []bool{false, true}},
		"it stays over":                    {[][]*checker.Result{{database(fine)}, {database(unrun)}}, []bool{true, true}},
		"an optional check is not awaited": {[][]*checker.Result{{optional(database(unrun))}}, []bool{true}},
		"a startup check must pass":        {[][]*checker.Result{{warm("a", bad)}, {warm("a", fine)}}, []bool{false, true}},
		"not all at the same time": {
			[][]*checker.Result{{warm("a", fine), warm("b", bad)}, {warm("a", bad), warm("b", bad)}, {warm("a", bad), warm("b", fine)}},
			[]bool{false, false, true},
		},
		"both kinds": {
			[][]*checker.Result{{warm("a", fine), database(unrun)}, {warm("a", bad), database(bad)}},
			[]bool{false, true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s startup
			for i, checks := range tc.rounds {
				if s.observe(checks); s.over != tc.over[i] {
					t.Errorf("round %d: over = %v", i, s.over)
				}
			}
		})
	}
}

// The dependency answers, if slowly: see checker.Status.Serves.
func TestWarningCompletesStartup(t *testing.T) {
	for status, want := range map[checker.Status]bool{
		checker.Unknown: false, checker.Healthy: true, checker.Warning: true, checker.Critical: false,
	} {
		var s startup
		s.observe([]*checker.Result{result("db", status, checker.ReasonThreshold, checker.Startup)})
		if s.over != want {
			t.Errorf("%v: startup over: got %v, want %v", status, s.over, want)
		}
	}
}
