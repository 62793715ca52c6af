package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitals-go/vitals/internal/e2e/oracle"
)

// A step may lead from what was true before to what is true after it, and nowhere else. Who was healthy may warn before
// it is critical; nobody goes there and back. A stable world makes no transition at all.

// courses returns what is wrong about the journal's entries since a step began. Breakers of broken dependencies probe as
// they like, and the machine's resources are not what is tried. On a machine that is busy, a check may warn for lack of an
// answer.
func courses(entries []entry, s step, before, after truth, busy bool) []error {
	var wrong []error
	taken := taken(entries)
	want := func(subject, from, to string, wavers bool) {
		if !leads(taken[subject], from, to, wavers) {
			wrong = append(wrong, fmt.Errorf("%s went from %s to %s by way of %v", subject, from, to, taken[subject]))
		}
	}
	want("phase", "ready", "ready", false)
	was, is := before.expected(), after.expected()
	for _, name := range after.names() {
		if _, known := was.Names[name]; known {
			want("name/"+name, was.Names[name], is.Names[name], swapped(s, name, before, after) || s.kind == shutAndResume || s.kind == maintain)
		}
	}
	for _, name := range after.present {
		// A server that stood still says so: it is starved, or a run was slow, and nothing is held against anybody.
		wavers := swapped(s, name, before, after) || s.kind == freeze && warns(entries, name, "starved", "degraded") ||
			busy && warns(entries, name, "starved", "timeout", "degraded")
		want("check/"+name, was.Checks[name], is.Checks[name], wavers)
		if before.works(name) && after.works(name) {
			want("breaker/"+name, "closed", "closed", false)
		}
	}
	return wrong
}

// taken returns what each subject has become, one after the other.
func taken(entries []entry) map[string][]string {
	all := map[string][]string{}
	for _, e := range entries {
		for _, subject := range e.subjects() {
			all[subject] = append(all[subject], e.to)
		}
	}
	return all
}

// swapped reports whether one fault has replaced another, so that the dependency worked for a moment in between, which
// name, if it is gated by it, may have shown.
func swapped(s step, name string, before, after truth) bool {
	d := s.dependency
	concerned := name == d || d == database && name != "liveness" && name != "startup" && !slices.Contains(dependencies, name)
	return s.kind == breakOne && concerned && !before.works(d) && !after.works(d)
}

// mostWavers is how many transitions a fault that replaces another makes, or calls of Shutdown and Resume at once: four of
// each, and as many manual statuses, make five pairs at most, and the last two calls one more.
const mostWavers = 12

// warns reports whether a check has warned for these reasons only.
func warns(entries []entry, check string, reasons ...string) bool {
	return !slices.ContainsFunc(entries, func(e entry) bool {
		return e.subject == "check/"+check && e.to == "warning" && !slices.Contains(reasons, e.reason)
	})
}

// leads reports whether a course leads from one value to another. One that wavers may go by way of healthy or SERVING.
func leads(course []string, from, to string, wavers bool) bool {
	if wavers {
		// What it began with does not matter: it has been healthy in between, or not.
		return len(course) == 0 || len(course) <= mostWavers && course[len(course)-1] == to
	}
	if from == to {
		return len(course) == 0
	}
	allowed := []string{to}
	if from == "healthy" && to == "critical" && len(course) == 2 {
		allowed = []string{"warning", to}
	}
	return slices.Equal(course, allowed)
}

// births is courses for a server that has just been started: everything is unknown at first.
func births(entries []entry, after truth, busy bool) []error {
	var wrong []error
	taken := taken(entries)
	want := func(subject string, allowed ...string) {
		course := strings.Join(taken[subject], " ")
		if !slices.Contains(allowed, course) {
			wrong = append(wrong, fmt.Errorf("%s was born as [%s], want one of %q", subject, course, allowed))
		}
	}
	want("phase", "ready")
	// Who hangs from the start warns twice before it is critical, and is called by its own name accordingly. But nobody
	// relies on what has never worked.
	for _, name := range []string{"", "readiness", oracle.Service} {
		if after.ready() {
			want("name/"+name, "SERVING")
		} else {
			want("name/"+name, "")
		}
	}
	hangs := after.faults[database].quiet()
	for _, name := range after.present {
		switch {
		case busy && warns(entries, name, "starved", "timeout", "degraded"):
		case name == database && hangs:
			want("check/"+name, "critical", "warning critical")
		default:
			if is := after.expected().Checks[name]; is == beforeFirst(name) {
				want("check/"+name, "")
			} else {
				want("check/"+name, is)
			}
		}
	}
	return wrong
}
