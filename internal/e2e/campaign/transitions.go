package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// entry is one line of the server's journal.
type entry struct {
	seq                           uint64
	at, subject, from, to, reason string
	names                         string // that changed together, if the subject is one of them
}

func (e entry) String() string {
	return fmt.Sprintf("%d %s %s: %s → %s (%s) %s", e.seq, e.at, e.subject, e.from, e.to, e.reason, e.names)
}

// subjects are all that the entry speaks about.
func (e entry) subjects() []string {
	if !strings.HasPrefix(e.subject, "name/") {
		return []string{e.subject}
	}
	var all []string
	for name := range strings.SplitSeq(e.names, " ") {
		all = append(all, "name/"+name)
	}
	return all
}

// transitionLog is the whole journal of one life of the server, put together from the windows that its reports show. It
// notices what is missing, changed or out of order. All methods may be called concurrently.
type transitionLog struct {
	mu       sync.Mutex
	seq      uint64            // of the newest edition
	entries  []entry           // the oldest first
	last     map[string]string // by subject, what it has become
	problems []error
}

func newTransitionLog() *transitionLog { return &transitionLog{last: map[string]string{}} }

// add takes in an edition, unless a newer one has come before.
func (c *transitionLog) add(report *vitalspb.HealthReportResponse) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if report.GetRevision() < c.seq {
		return
	}
	c.seq = report.GetRevision()
	for _, t := range slices.Backward(report.GetTransitions()) {
		c.enter(entry{
			t.GetSeq(), t.GetAt(), t.GetSubject(), t.GetFrom(), t.GetTo(), t.GetReason(), strings.Join(t.GetNames(), " "),
		})
	}
	c.compare(report)
}

// enter takes in an entry. The journal numbers them from 1, without gaps, and never changes one.
func (c *transitionLog) enter(e entry) {
	switch next := uint64(len(c.entries)) + 1; {
	case e.seq == 0 || e.seq > next:
		c.problem("the journal lacks number %d: it goes on with %v", next, e)
		return
	case e.seq < next:
		if known := c.entries[e.seq-1]; known != e {
			c.problem("the journal has been rewritten: %v was %v", e, known)
		}
		return
	}
	for _, subject := range e.subjects() {
		if was, known := c.last[subject]; known && was != e.from {
			c.problem("the journal lacks what made %s %s: it says %v", subject, e.from, e)
		}
		c.last[subject] = e.to
	}
	c.entries = append(c.entries, e)
}

// compare wants what an edition says to be what its journal ends with.
func (c *transitionLog) compare(report *vitalspb.HealthReportResponse) {
	says := func(subject, value string) {
		if last, known := c.last[subject]; known && last != value {
			c.problem("an edition says that %s is %s, and the journal made it %s", subject, value, last)
		}
	}
	says("phase", report.GetPhase())
	says("overall", report.GetOverallStatus())
	for _, name := range report.GetNames() {
		says("name/"+name.GetName(), name.GetStatus())
	}
	for _, name := range dependencies {
		if metric, found := report.GetMetrics()["dependency_"+name]; found {
			says("check/"+name, metric.GetStatus())
			says("breaker/"+name, strings.Replace(report.GetMetrics()["breaker_"+name].GetValue(), "half-open", "open", 1))
		}
	}
}

func (c *transitionLog) problem(format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf(format, args...))
}

// mark is a moment in the transitionLog.
func (c *transitionLog) mark() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

// since returns what has happened since a mark.
func (c *transitionLog) since(mark int) []entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.entries[mark:])
}

// course returns what a subject has become, one after the other.
func (c *transitionLog) course(subject string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for _, e := range c.entries {
		if slices.Contains(e.subjects(), subject) {
			all = append(all, e.to)
		}
	}
	return all
}

// takeProblems returns what was wrong since the last call.
func (c *transitionLog) takeProblems() []error {
	c.mu.Lock()
	defer c.mu.Unlock()
	problems := c.problems
	c.problems = nil
	return problems
}
