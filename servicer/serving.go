package servicer

import (
	"maps"
	"slices"
	"strings"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
)

const (
	serving    = healthpb.HealthCheckResponse_SERVING
	notServing = healthpb.HealthCheckResponse_NOT_SERVING
)

// The texts of causes that are no check's.
const (
	textManual     = "set by the application"
	textShutdown   = "shut down by the application"
	textNoNewState = "health is no longer evaluated"
)

// gates are the causes that keep names from serving, by the kind of name. The slices are shared by all names and never
// changed.
type gates struct {
	end       []Cause            // draining, stopped, not evaluated: every name but liveness
	readiness []Cause            // "", readiness and every service
	liveness  []Cause            // liveness
	startup   []Cause            // startup
	service   map[string][]Cause // a single service, in addition to readiness
	groups    map[string][]Cause // a group
	checks    map[string][]Cause // a check's own name, if it is neither hidden nor that of a service

	services    []string
	shutdown    bool
	maintenance []Maintenance
}

func (ev *evaluator) newGates(in *inputs, metrics []Metric) gates {
	g := gates{
		service: make(map[string][]Cause), checks: make(map[string][]Cause, len(in.checks)),
		services: in.services, shutdown: in.shutdown, maintenance: in.allMaintenance(),
	}
	var process []Cause // the phase
	if in.phase != Ready {
		process = []Cause{{Reason: phaseReason(in.phase), Text: in.phase.String()}}
	}
	var silent []Cause
	if in.state != evaluating {
		silent = []Cause{{Reason: checker.ReasonStale, Text: textNoNewState}}
	}
	g.startup, g.readiness, g.end = process, slices.Concat(process, silent), silent
	if in.phase >= Draining {
		g.readiness, g.end = process, process
	}
	if in.state == stalled {
		g.liveness = silent
	}
	for _, c := range causesFirst(in.checks) {
		if !c.Optional {
			g.add(c, in.startup.over)
		}
		if !ev.hideChecks && !contains(in.services, c.Name) {
			g.checks[c.Name] = slices.Concat(g.end, failing(c))
		}
	}
	for _, m := range g.maintenance {
		if m.Name == "" {
			g.readiness = append(g.readiness, m.cause())
		}
	}
	g.addStandby(in)
	g.groups = in.groups.causes(in.checks, g.end)
	if ev.requests.Gates && !ev.requests.Shadow {
		g.addRequests(metrics)
	}
	if !ev.requests.Shadow {
		g.addStuck(&in.stuck, ev.requests.StuckGates)
	}
	return g
}

// causesFirst returns checks with those at the end that another check explains.
func causesFirst(checks []*checker.Result) []*checker.Result {
	caused := func(c *checker.Result) bool { return c.CausedBy != "" }
	if !slices.ContainsFunc(checks, caused) {
		return checks
	}
	causes := slices.DeleteFunc(slices.Clone(checks), caused)
	return append(causes, slices.DeleteFunc(slices.Clone(checks), func(c *checker.Result) bool { return !caused(c) })...)
}

// add adds what c keeps from serving.
func (g *gates) add(c *checker.Result, started bool) {
	for _, gate := range c.Gates {
		switch gate {
		case checker.Readiness:
			g.readiness = append(g.readiness, neverPassed(c)...)
			if !started && c.Reason == checker.ReasonNotRunYet {
				g.startup = append(g.startup, failing(c)...)
			}
		case checker.Liveness:
			// A check that has not run yet must not restart the process.
			if c.Reason != checker.ReasonNotRunYet {
				g.liveness = append(g.liveness, failing(c)...)
			}
		case checker.Startup:
			if !started {
				g.startup = append(g.startup, failing(c)...)
			}
		default:
			g.service[gate] = append(g.service[gate], neverPassed(c)...)
		}
	}
}

// addRequests adds request metrics that are critical: those of all calls gate readiness, a service's own gates it.
func (g *gates) addRequests(metrics []Metric) {
	for i := range metrics {
		m := &metrics[i]
		if m.Kind != kindRequests || m.Status != checker.Critical {
			continue
		}
		cause := Cause{Check: m.Name, Reason: m.Reason, Text: m.Message}
		if m.Subject != "" {
			g.service[m.Subject] = append(g.service[m.Subject], cause)
		} else {
			g.readiness = append(g.readiness, cause)
		}
	}
}

// failing returns the cause that c makes, or none if it serves.
func failing(c *checker.Result) []Cause {
	if c.Status.Serves() {
		return nil
	}
	return []Cause{{Check: c.Name, Reason: c.Reason, Text: c.Message}}
}

// neverPassed returns failing(c), or the cause that c makes if it warns without ever having passed: failures that are
// too few to be critical do not show that the dependency works.
func neverPassed(c *checker.Result) []Cause {
	missed := c.Reason == checker.ReasonTimeout || c.Reason == checker.ReasonError
	if c.Status == checker.Warning && missed && c.LastSuccess.IsZero() && !c.Optional {
		return []Cause{{Check: c.Name, Reason: c.Reason, Text: c.Message}}
	}
	return failing(c)
}

func phaseReason(p Phase) checker.Reason {
	return [...]checker.Reason{checker.ReasonNotRunYet, checker.ReasonOK, checker.ReasonDraining}[min(p, Draining)]
}

// name evaluates one name of grpc.health.v1: the gates of its kind, its maintenance and its manual status.
func (e *evaluation) name(manual map[string]servingStatus, name string) ServingName {
	n := ServingName{Name: name, Status: serving, Causes: e.gates.of(name)}
	for _, m := range e.gates.maintenance {
		if m.Name == name && name != "" {
			n.Causes = append([]Cause{m.cause()}, n.Causes...)
		}
	}
	if len(n.Causes) > 0 {
		n.Status = notServing
	}
	status, set := manual[manualName(name)]
	switch {
	case e.gates.shutdown && name != checker.Liveness:
		n.Causes = append(slices.Clip(n.Causes), Cause{Reason: checker.ReasonManual, Text: textShutdown})
		n.Status = notServing
	case set && status != serving:
		n.Causes = append(slices.Clip(n.Causes), Cause{Reason: checker.ReasonManual, Text: textManual})
		if n.Status == serving {
			n.Status = status
		}
	}
	return n
}

// names evaluates the names of known. known and last, the previous result, are sorted. A status that differs from last
// has changed at now.
func (e *evaluation) names(manual map[string]servingStatus, known []string, last []ServingName, now time.Time) []ServingName {
	names := make([]ServingName, len(known))
	for i, name := range known {
		for len(last) > 0 && last[0].Name < name {
			last = last[1:]
		}
		names[i] = e.next(manual, name, last, now)
	}
	return names
}

// updateNames is names for those of set only, with the others as they are in last.
func (e *evaluation) updateNames(manual map[string]servingStatus, set []string, last []ServingName, now time.Time) []ServingName {
	if len(set) == 0 {
		return last
	}
	names := make([]ServingName, 0, len(last)+len(set))
	for _, name := range set {
		i, found := findName(last, name)
		names, last = append(names, last[:i]...), last[i:]
		if e.gates.knows(manual, name) {
			names = append(names, e.next(manual, name, last, now))
		}
		if found {
			last = last[1:]
		}
	}
	return append(names, last...)
}

// next evaluates one name. last begins with its previous result, if there is one.
func (e *evaluation) next(manual map[string]servingStatus, name string, last []ServingName, now time.Time) ServingName {
	n := e.name(manual, name)
	n.since = now
	if len(last) > 0 && last[0].Name == name {
		n.moved = last[0].moved || n.Status != last[0].Status
		if n.Status == last[0].Status {
			n.since = last[0].since
		}
	}
	return n
}

func findName(sorted []ServingName, name string) (int, bool) {
	return slices.BinarySearchFunc(sorted, name, func(n ServingName, name string) int { return strings.Compare(n.Name, name) })
}

// of returns the causes that gate name. The slice is shared.
func (g *gates) of(name string) []Cause {
	switch name {
	case "", checker.Readiness:
		return g.readiness
	case checker.Liveness:
		return g.liveness
	case checker.Startup:
		return g.startup
	}
	if causes, isCheck := g.checks[name]; isCheck {
		return causes
	}
	if causes, isGroup := g.groups[name]; isGroup {
		return causes
	}
	if single := g.service[name]; len(single) > 0 {
		return slices.Concat(g.readiness, single)
	}
	return g.readiness
}

// knows reports whether name is known: the manual status of one that is not was removed.
func (g *gates) knows(manual map[string]servingStatus, name string) bool {
	switch name {
	case "", checker.Readiness, checker.Liveness, checker.Startup:
		return true
	}
	if _, set := manual[name]; set {
		return true
	}
	_, isCheck := g.checks[name]
	_, isGroup := g.groups[name]
	return isCheck || isGroup || contains(g.services, name)
}

// manualName is the name under which the manual status of name is kept: "" and readiness are one.
func manualName(name string) string {
	if name == checker.Readiness {
		return ""
	}
	return name
}

// knownNames returns every name that the health service knows, sorted.
func (ev *evaluator) knownNames(in *inputs) []string {
	names := make([]string, 0, 4+len(in.services)+len(in.checks)+len(in.manual))
	names = append(names, "", checker.Readiness, checker.Liveness, checker.Startup)
	names = append(names, in.services...)
	names = slices.AppendSeq(names, maps.Keys(in.groups))
	if !ev.hideChecks {
		for _, c := range in.checks {
			names = append(names, c.Name)
		}
	}
	for name := range in.manual {
		names = append(names, name)
	}
	return sortedSet(names)
}

// sortedSet returns names sorted and without duplicates, in memory of its own.
func sortedSet(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

func contains(sorted []string, name string) bool {
	_, found := slices.BinarySearch(sorted, name)
	return found
}

// explain returns in a public sentence why the name has its status.
func (n *ServingName) explain() string {
	if len(n.Causes) == 0 {
		return "nothing keeps it from serving"
	}
	texts := make([]string, len(n.Causes))
	for i, c := range n.Causes {
		texts[i] = c.Text
		if c.Check != "" {
			texts[i] = c.Check + ": " + c.Text
		}
	}
	return strings.Join(texts, "; ")
}
