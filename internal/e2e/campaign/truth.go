package main

import (
	"fmt"
	"maps"
	"strings"
	"time"
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

// status is what a dependency's check has to say once it has found out. Only the database is required.
func (t truth) status(dependency string) string {
	switch {
	case t.works(dependency):
		return "healthy"
	case dependency == database:
		return "critical"
	default:
		return "warning"
	}
}

// ready reports whether traffic should come.
func (t truth) ready() bool { return t.works(database) }

// serves is what grpc.health.v1 has to say about a name: about an optional check, too, as long as it only warns.
func (t truth) serves(name string) string {
	switch name {
	case "liveness", "startup", cache, prices, upstream:
		return "SERVING"
	}
	if t.ready() {
		return "SERVING"
	}
	return "NOT_SERVING"
}

// breakerMustBeOpen reports whether calls of a dependency have to be turned away. Slow answers are good enough for
// those who have more patience than a check.
func (t truth) breakerMustBeOpen(dependency string) bool {
	return dependency == database && !t.works(dependency) && t.faults[dependency] != slow
}

// breakerMustBeClosed reports whether calls have to be let through.
func (t truth) breakerMustBeClosed(dependency string) bool { return t.works(dependency) }

// calm reports whether nothing is wrong at all.
func (t truth) calm() bool { return len(t.faults) == 0 && !t.full }
