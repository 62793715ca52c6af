package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/vitals-go/vitals/internal/e2e/oracle"
)

// truth is what the campaign has done to the world: what every door has to say follows from it, and from nothing that
// a door has said.
type truth struct {
	present []string         // the dependencies that the server has been told of
	faults  map[string]fault // of those that have one
	full    bool             // there is no room for the health file
	pushed  time.Duration    // how far the server's wall clock is ahead of ours
}

func (t truth) clone() truth {
	t.faults = maps.Clone(t.faults)
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
	for i := range w.Checks {
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
	e.FileExpired, e.ClockAhead = t.full, t.pushed
	return e
}

func (t truth) compare() *oracle.Comparison { return oracle.Compare(t.expected()) }

// names are those of grpc.health.v1.
func (t truth) names() []string { return slices.Sorted(maps.Keys(t.expected().Names)) }

// ready reports whether traffic should come.
func (t truth) ready() bool { return t.works(database) }

// calm reports whether nothing is wrong at all.
func (t truth) calm() bool { return len(t.faults) == 0 && !t.full }
