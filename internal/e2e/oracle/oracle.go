// Package oracle computes what health must report from the state of the checks. It implements the documented rules of
// evaluation and shares no code with the library.
package oracle

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Outcome is the state of a check in a test's script.
type Outcome uint8

// Outcomes of checks.
const (
	Undecided Outcome = iota // changed too recently: nothing is expected
	Passing
	Failing
)

// What a check gates beside readiness and services.
const (
	Liveness = "liveness"
	Nothing  = "nothing" // its name is not served either
)

// Check is one check of a server.
type Check struct {
	Name     string
	Optional bool
	Gates    string // the one name that it gates; empty: readiness
	Outcome  Outcome
	Breaker  string // "closed", "open", which half-open passes for, or empty: nothing is expected
}

// World is everything that health follows from.
type World struct {
	Checks      []Check
	Breakers    map[string]string // of no check: "open" or "closed" by name
	HideChecks  bool              // the names of checks are not served
	Services    []string          // gRPC services
	Maintenance []string          // names in maintenance
	// Manual statuses by name: SERVING, NOT_SERVING or UNKNOWN, as SetServingStatus has set them; "" is readiness.
	Manual   map[string]string
	Override bool // in force, or mistaken
	Shutdown bool // between Shutdown and Resume
	Started  bool // startup has completed
}

// Expected is what health must report. What is missing or empty is undecided.
type Expected struct {
	Overall  string            // status of the report
	Healthy  string            // "true" or "false": whether Overall is healthy or warning
	Checks   map[string]string // statuses: healthy, warning, critical
	Names    map[string]string // of grpc.health.v1: SERVING, NOT_SERVING
	Breakers map[string]string

	FileExpired bool          // the health file cannot be written
	ClockAhead  time.Duration // the server's wall clock minus ours
	Uptime      time.Duration // of the server; 0: undecided
	NamesHidden bool          // those of checks
}

// Evaluate returns what must be reported about the world.
func (w World) Evaluate() Expected {
	e := Expected{Checks: map[string]string{}, Names: map[string]string{}, Breakers: map[string]string{}}
	worst, undecided := "healthy", ""
	for _, c := range w.Checks {
		status := c.status()
		worst, undecided = worse(worst, status), worse(undecided, c.whenFailing(c.Outcome == Undecided))
		set(e.Checks, c.Name, status)
		set(e.Breakers, c.Name, c.Breaker)
	}
	if w.Override {
		worst = worse(worst, "warning")
	}
	for name, state := range w.Breakers {
		e.Breakers[name] = state
		if state == "open" {
			worst = worse(worst, "warning")
		}
	}
	if worst == "critical" || undecided == "" {
		e.Overall = worst
	}
	if worst == "critical" {
		e.Healthy = "false"
	} else if undecided != "critical" {
		e.Healthy = "true"
	}
	for name, gates := range w.gates() {
		set(e.Names, name, w.serving(name, gates))
	}
	return e
}

// gates returns what each name requires.
func (w World) gates() map[string][]Outcome {
	gates := map[string][]Outcome{}
	for _, name := range slices.Concat([]string{"readiness", Liveness}, w.Services, slices.Collect(maps.Keys(w.Manual))) {
		gates[canonical(name)] = w.maintenance(name)
	}
	for _, c := range w.Checks {
		if gate := cmp.Or(c.Gates, "readiness"); !c.Optional && gate != Nothing {
			gates[gate] = append(gates[gate], c.Outcome)
		}
	}
	for name, own := range gates {
		if name != Liveness && name != "readiness" {
			gates[name] = slices.Concat(own, gates["readiness"])
		}
	}
	gates[""] = gates["readiness"]
	if delete(gates, "startup"); w.Started {
		gates["startup"] = nil
	}
	for _, c := range w.Checks {
		if c.Gates == Nothing || w.HideChecks {
			continue
		}
		serves := c.Outcome
		if c.status() == "warning" {
			serves = Passing
		}
		gates[c.Name] = append(w.maintenance(c.Name), serves)
	}
	return gates
}

// serving combines the gates of a name with its manual status.
func (w World) serving(name string, gates []Outcome) string {
	status := serving(gates)
	switch manual := w.manual(name); {
	case w.Shutdown && name != Liveness, manual == "NOT_SERVING":
		return "NOT_SERVING"
	case manual != "" && status == "SERVING":
		return manual
	}
	return status
}

// manual is the manual status of a name. Those of "" and readiness are one.
func (w World) manual(name string) string { return w.Manual[canonical(name)] }

func canonical(name string) string {
	if name == "" {
		return "readiness"
	}
	return name
}

// maintenance is a failing gate if a name is in maintenance.
func (w World) maintenance(name string) []Outcome {
	if slices.ContainsFunc(w.Maintenance, func(m string) bool { return canonical(m) == canonical(name) }) {
		return []Outcome{Failing}
	}
	return nil
}

func (c Check) status() string {
	if c.Outcome == Passing {
		return "healthy"
	}
	return c.whenFailing(c.Outcome == Failing)
}

func (c Check) whenFailing(failing bool) string {
	switch {
	case !failing:
		return ""
	case c.Optional:
		return "warning"
	default:
		return "critical"
	}
}

// Statuses are those of checks, the best first.
func Statuses() []string { return []string{"healthy", "warning", "unknown", "critical"} }

// worse returns the worse of two statuses; an empty one is the best.
func worse(a, b string) string {
	return slices.MaxFunc([]string{a, b}, func(a, b string) int {
		return cmp.Compare(slices.Index(Statuses(), a), slices.Index(Statuses(), b))
	})
}

// serving combines gates: one that fails closes, and all must pass to open.
func serving(gates []Outcome) string {
	switch {
	case slices.Contains(gates, Failing):
		return "NOT_SERVING"
	case slices.Contains(gates, Undecided):
		return ""
	default:
		return "SERVING"
	}
}

func set(m map[string]string, key, value string) {
	if value != "" {
		m[key] = value
	}
}
