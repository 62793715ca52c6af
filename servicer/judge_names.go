package servicer

import (
	"slices"
	"strings"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
)

const (
	serving    = healthpb.HealthCheckResponse_SERVING
	notServing = healthpb.HealthCheckResponse_NOT_SERVING
)

// names judges every name of grpc.health.v1. A name serves if the phase is ready and nothing that gates it fails.
func (r *rules) names(e *evidence, metrics []Metric) []ServingName {
	g := r.gates(e, metrics)
	names := make([]ServingName, 0, 4+len(e.services)+len(e.words)+len(e.checks))
	judged := func(name string, because ...[]Cause) {
		names = append(names, r.name(e, name, slices.Concat(because...)))
	}
	judged("", g.process, g.readiness)
	judged(checker.Readiness, g.process, g.readiness)
	judged(checker.Liveness, g.liveness)
	judged(checker.Startup, g.process, g.startup)
	for _, service := range g.services {
		judged(service, g.process, g.readiness, g.single[service])
	}
	for _, c := range e.checks {
		if r.hideChecks || g.taken(c.Name) {
			continue
		}
		judged(c.Name, g.ending, failing(c))
	}
	slices.SortFunc(names, func(a, b ServingName) int { return strings.Compare(a.Name, b.Name) })
	return names
}

// name settles one name: maintenance and the application's word come on top of what gates it.
func (r *rules) name(e *evidence, name string, because []Cause) ServingName {
	n := ServingName{Name: name, Status: serving, Causes: because}
	if m, found := maintained(e.maintenance, name); found {
		n.Causes = append([]Cause{m.cause()}, n.Causes...)
	}
	if len(n.Causes) > 0 {
		n.Status = notServing
	}
	n.judged = n.Status
	word, given := e.words[name]
	switch {
	case e.shut && name != checker.Liveness:
		n.Causes = append(n.Causes, Cause{Reason: checker.ReasonMaintenance, Text: textShutdown})
		n.Status = notServing
	case given && word != serving:
		if n.Status == serving {
			n.Status = word
		}
		n.Causes = append(n.Causes, Cause{Reason: checker.ReasonMaintenance, Text: textSet})
	}
	return n
}

// The causes that are nobody's check.
const (
	textSet      = "set by the application"
	textShutdown = "shut down by the application"
)

// gates is what keeps names from serving, by what it gates.
type gates struct {
	ending    []Cause // draining, stopped, or nobody judges: all but liveness
	process   []Cause // the phase: all but liveness and checks
	readiness []Cause
	liveness  []Cause
	startup   []Cause
	single    map[string][]Cause // by service

	services []string // sorted: registered ones and those the application named
}

func (r *rules) gates(e *evidence, metrics []Metric) *gates {
	g := &gates{single: make(map[string][]Cause)}
	if e.phase != Ready {
		g.process = []Cause{{Reason: phaseReason(e.phase), Text: e.phase.String()}}
	}
	if e.phase >= Draining {
		g.ending = g.process
	} else {
		g.ending = e.silence.cause()
		g.readiness = e.silence.cause()
	}
	if e.silence == stuck {
		g.liveness = e.silence.cause()
	}
	for _, c := range e.checks {
		if !c.Optional {
			g.add(c, e.started)
		}
	}
	g.addWhole(e.maintenance)
	if r.requests.Gates {
		g.addRequests(metrics)
	}
	g.services = slices.Clone(e.services)
	for name := range e.words {
		if !reserved(name) && !isCheck(e.checks, name) {
			g.services = append(g.services, name)
		}
	}
	slices.Sort(g.services)
	g.services = slices.Compact(g.services)
	return g
}

// add files what c keeps from serving.
func (g *gates) add(c *checker.Result, started bool) {
	for _, gate := range c.Gates {
		because := failing(c)
		switch gate {
		case checker.Readiness:
			g.readiness = append(g.readiness, unproven(c, because)...)
			if !started && c.Reason == checker.ReasonNotRunYet {
				g.startup = append(g.startup, because...)
			}
		case checker.Liveness:
			// Nobody is killed for not having been asked yet.
			if c.Reason != checker.ReasonNotRunYet {
				g.liveness = append(g.liveness, because...)
			}
		case checker.Startup:
			if !started {
				g.startup = append(g.startup, because...)
			}
		default:
			g.single[gate] = append(g.single[gate], unproven(c, because)...)
		}
	}
}

// addWhole lets maintenance of the whole server take out everything that readiness gates; the names "" and readiness
// get their own cause elsewhere.
func (g *gates) addWhole(maintenance []Maintenance) {
	for _, m := range maintenance {
		if m.Name == "" || m.Name == checker.Readiness {
			g.readiness = append(g.readiness, m.cause())
		}
	}
}

func (g *gates) addRequests(metrics []Metric) {
	for i := range metrics {
		m := &metrics[i]
		if m.Status != checker.Critical {
			continue
		}
		because := Cause{Check: m.Name, Reason: m.Reason, Text: m.Message}
		service, single := strings.CutPrefix(m.Name, metricSuccessRate+"_")
		switch {
		case m.Name == metricSuccessRate, m.Name == metricResponseTime:
			g.readiness = append(g.readiness, because)
		case single:
			g.single[service] = append(g.single[service], because)
		}
	}
}

// taken reports whether a service has the name of a check. New and Serve refuse that; a check that was added later
// must not take a service's place.
func (g *gates) taken(name string) bool {
	_, found := slices.BinarySearch(g.services, name)
	return found
}

// failing is the cause that c makes, or none if it serves.
func failing(c *checker.Result) []Cause {
	if c.Status.Serves() {
		return nil
	}
	return []Cause{{Check: c.Name, Reason: c.Reason, Text: c.Message}}
}

// unproven returns because, or the cause that c makes if it warns without ever having passed. Failures that are too few
// to be critical are no evidence that the dependency works, and without evidence nothing serves.
func unproven(c *checker.Result, because []Cause) []Cause {
	missed := c.Reason == checker.ReasonTimeout || c.Reason == checker.ReasonError
	if c.Status == checker.Warning && missed && c.LastSuccess.IsZero() {
		return []Cause{{Check: c.Name, Reason: c.Reason, Text: c.Message}}
	}
	return because
}

func isCheck(checks []*checker.Result, name string) bool {
	_, found := slices.BinarySearchFunc(checks, name, func(c *checker.Result, name string) int {
		return strings.Compare(c.Name, name)
	})
	return found
}

func phaseReason(p Phase) checker.Reason {
	switch p {
	case Starting:
		return checker.ReasonNotRunYet
	case Ready:
		return checker.ReasonOK
	default:
		return checker.ReasonMaintenance
	}
}
