package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/vitals-go/vitals/internal/e2e/oracle"
)

// truth is what the campaign has done to the world: what every endpoint has to say follows from it, and from nothing that
// a door has said.
type truth struct {
	present []string         // the dependencies that the server has been told of
	faults  map[string]fault // of those that have one
	full    bool             // there is no room for the health file
	pushed  time.Duration    // how far the server's wall clock is ahead of ours

	hidden bool // the names of checks
	silent bool // there are silent clients
	// What the application has set, until the server ends.
	manual   map[string]string // by name; "" is readiness
	shutdown bool
	reserve  bool // the second source's breaker is open
	// What the override file does, until the server ends.
	override string // optional or maintenance, if it is in force
	mistake  bool   // in the newest version, which changes nothing
}

// restarted is the truth about a server that has just been started.
func (t truth) restarted(hidden bool) truth {
	t.override, t.mistake = "", false
	t.hidden, t.silent, t.manual, t.shutdown, t.reserve = hidden, false, map[string]string{}, false, false
	return t
}

func (t truth) clone() truth {
	t.faults, t.manual = maps.Clone(t.faults), maps.Clone(t.manual)
	return t
}

// String lists what is wrong.
func (t truth) String() string {
	var wrong []string
	for _, name := range brokenOnes(t.faults) {
		wrong = append(wrong, fmt.Sprintf("%s %s", name, t.faults[name]))
	}
	if t.full {
		wrong = append(wrong, "disk full")
	}
	if t.pushed != 0 {
		wrong = append(wrong, fmt.Sprintf("clock %+v", t.pushed))
	}
	for _, name := range slices.Sorted(maps.Keys(t.manual)) {
		wrong = append(wrong, fmt.Sprintf("%s set %s", name, t.manual[name]))
	}
	if t.override != "" {
		wrong = append(wrong, "override "+t.override)
	}
	for what, is := range map[string]bool{"shut down": t.shutdown, "names hidden": t.hidden, "silent clients": t.silent, "reserve open": t.reserve, "override mistaken": t.mistake} {
		if is {
			wrong = append(wrong, what)
		}
	}
	if len(wrong) == 0 {
		return "nothing is wrong"
	}
	return strings.Join(wrong, ", ")
}

// works reports whether a dependency answers in time.
func (t truth) works(dependency string) bool { return t.faults[dependency].harmless() }

// world is the oracle's view of it.
func (t truth) world() oracle.World {
	w := oracle.Inventory(t.present...)
	w.HideChecks, w.Manual, w.Shutdown, w.Breakers = t.hidden, t.manual, t.shutdown, map[string]string{reserve: "closed"}
	w.Override = t.override != "" || t.mistake
	if t.override == "maintenance" {
		w.Maintenance = []string{prices}
	}
	if t.reserve {
		w.Breakers[reserve] = "open"
	}
	for i := range w.Checks {
		if c := &w.Checks[i]; c.Name == database && t.override == "optional" {
			c.Optional = true
		}
		if c := &w.Checks[i]; !t.works(c.Name) {
			c.Outcome, c.Breaker = oracle.Failing, ""
			// Slow answers are good enough for those who have more patience than a check.
			if c.Name == database && t.faults[c.Name] != slow {
				c.Breaker = "open"
			}
		}
	}
	return w
}

// expected is what every endpoint must report once the server has found out.
func (t truth) expected() oracle.Expected {
	e := t.world().Evaluate()
	e.FileExpired, e.ClockAhead, e.NamesHidden = t.full, t.pushed, t.hidden
	return e
}

// names are those of grpc.health.v1.
func (t truth) names() []string { return slices.Sorted(maps.Keys(t.expected().Names)) }

// ready reports whether traffic should come.
func (t truth) ready() bool { return t.works(database) }

// calm reports whether nothing is wrong at all.
func (t truth) calm() bool { return len(t.faults) == 0 && !t.full && !t.silent }
