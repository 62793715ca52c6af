package week

import (
	"slices"
	"testing"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
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

// verdict is what the script says that everybody must be told at one moment. A name that is missing in serving, and an
// Unknown status, is one that the script does not decide, because things have changed a moment ago.
type verdict struct {
	checks  map[string]checker.Status
	serving map[string]bool
	overall checker.Status
}

// judge reads the script. It knows the rules from the documentation, and nothing of how they are carried out. The
// process has been up for the given time.
func (w *scenario) judge(t, up time.Duration) verdict {
	v := verdict{checks: map[string]checker.Status{}, serving: map[string]bool{}}
	if up < settled {
		return v
	}
	gates := map[string][]checker.Status{"readiness": nil, orders: nil}
	worst, certain := checker.Healthy, true
	for _, n := range needs {
		state := w.status(n, t, up)
		v.checks[n.name] = state
		if state == checker.Unknown {
			certain = false
		} else if state.Worse(worst) {
			worst = state
		}
		if state != checker.Unknown {
			v.serving[n.name] = state.Serves() && !w.maintained(n.name, t)
		}
		if n.optional {
			continue
		}
		gate := "readiness"
		if n.gates != "" {
			gate = n.gates
		}
		gates[gate] = append(gates[gate], state)
	}
	w.windowsAt(t, gates)
	v.decide("readiness", gates["readiness"])
	v.decide("", gates["readiness"])
	v.decide(orders, append(gates[orders], gates["readiness"]...))
	loop, sure := w.sure("loop", t, settled)
	cpu, sureCPU := w.sure("cpu_usage", t, measured)
	if sure {
		v.serving["liveness"] = loop == well
	}
	if loop != well || cpu != well {
		worst = checker.Critical
	}
	if certain && sure && sureCPU && up > measured || worst == checker.Critical && sure && sureCPU && up > measured {
		v.overall = worst
	}
	return v
}

// status is what the script says about one dependency.
func (w *scenario) status(n need, t, up time.Duration) checker.Status {
	span := max(n.span, settled)
	state, sure := w.sure(n.name, t, span)
	switch {
	case !sure, up < span, state == flapping:
		return checker.Unknown
	case state == well, state == slow:
		return checker.Healthy
	case n.optional:
		return checker.Warning
	default:
		return checker.Critical
	}
}

// windowsAt adds the maintenance in force at t. Its edges are exact.
func (w *scenario) windowsAt(t time.Duration, gates map[string][]checker.Status) {
	for name := range gates {
		if w.maintained(name, t) {
			gates[name] = append(gates[name], checker.Critical)
		}
	}
}

func (w *scenario) maintained(name string, t time.Duration) bool {
	return slices.ContainsFunc(w.windows, func(m maintenance) bool { return m.name == name && m.from < t && t < m.to })
}

// decide says whether name serves: not if one of its gates is closed, and only if all are known to be open.
func (v verdict) decide(name string, gates []checker.Status) {
	open := true
	for _, g := range gates {
		switch g {
		case checker.Critical:
			v.serving[name] = false
			return
		case checker.Unknown:
			open = false
		}
	}
	if open {
		v.serving[name] = true
	}
}

// compare returns how many facts the verdict decides, all of which the report must agree with.
func (v verdict) compare(t *testing.T, r *servicer.Report, at time.Duration) (facts int) {
	t.Helper()
	for _, c := range r.Checks {
		if want := v.checks[c.Name]; want != checker.Unknown {
			facts++
			if c.Status != want {
				t.Errorf("at %v: %s is %v (%v), want %v", at, c.Name, c.Status, c.Reason, want)
			}
		}
	}
	for name, want := range v.serving {
		facts++
		n, known := r.Lookup(name)
		if !known || (n.Status == healthpb.HealthCheckResponse_SERVING) != want {
			t.Errorf("at %v: %q is %+v, want serving %v", at, name, n, want)
		}
	}
	if v.overall != checker.Unknown {
		facts++
		if r.Overall != v.overall {
			t.Errorf("at %v: overall %v, want %v", at, r.Overall, v.overall)
		}
	}
	return facts
}
