package servicer

import (
	"slices"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
)

// namesPerTransition bounds, on average, how many names the transitions of a report list: a server of a thousand services
// does not keep all of them a hundred times.
const namesPerTransition = 10

// tracker remembers the status of each subject and since when it holds, and the last transitions. It is not safe for
// concurrent use.
type tracker struct {
	size       int
	seq        uint64 // of the last transition
	generation uint64 // number of the current call of track
	states     map[subject]state
	// transitions, newest first. Reports share it: it is replaced, never changed.
	transitions []Transition
}

// subject is something that has a status. Kinds are those of Transition.Subject, and metric, which has no transitions.
type subject struct{ kind, name string }

func (s subject) String() string {
	if s.name == "" && s.kind != "name" {
		return s.kind
	}
	return s.kind + "/" + s.name
}

type state struct {
	value      string
	since      time.Time
	generation uint64    // of the last call of track that had it
	count      [2]uint64 // the subject's own counters of the statuses that it has entered
}

func newTracker(size int) *tracker {
	return &tracker{size: size, states: make(map[subject]state)}
}

// track adds to r what depends on earlier reports, of which old is the last, and returns the transitions that it brings,
// causes before consequences. What is seen for the first time makes no transition.
func (t *tracker) track(old, r *Report) []Transition {
	t.generation++
	for i := range r.Metrics {
		m := &r.Metrics[i]
		since := m.Since
		if since.IsZero() {
			since = r.EvaluatedAt
		}
		t.observe(subject{"metric", m.Name}, m.Status.String(), since)
		m.Since = t.states[subject{"metric", m.Name}].since
	}
	var found []Transition
	see := func(s subject, value string, since time.Time, reason checker.Reason, text string) {
		if from, changed := t.observe(s, value, since); changed {
			found = append(found, Transition{
				At: r.EvaluatedAt, Subject: s.String(), From: from.value, To: value,
				Reason: reason, Text: text, PreviousFor: max(since.Sub(from.since), 0),
			})
		}
	}
	t.trackChecks(r, see)
	t.trackBreakers(r, see)
	reason, text := explainWorst(r)
	see(subject{kind: "overall"}, r.Overall.String(), r.EvaluatedAt, reason, text)
	see(subject{kind: "phase"}, r.Phase.String(), r.EvaluatedAt, phaseReason(r.Phase), "the process is "+r.Phase.String())
	if old != nil {
		found = append(found, t.nameTransitions(old.Names, r)...)
	}
	found = append(found, t.shadowTransitions(old, r)...)
	t.forget()
	for i := range found {
		t.seq++
		found[i].Seq = t.seq
	}
	t.record(found)
	r.Transitions = t.transitions
	return found
}

type observer func(s subject, value string, since time.Time, reason checker.Reason, text string)

// trackChecks also finds the statuses that a check had between two reports, by its own counters.
func (t *tracker) trackChecks(r *Report, see observer) {
	for _, c := range r.Checks {
		s := subject{"check", c.Name}
		for i, between := range []checker.Status{checker.Warning, checker.Critical} {
			// The runs of a check that an override makes optional still count as critical.
			hidden := c.Optional && between == checker.Critical
			if t.entered(s, i, c.Runs.ByStatus(between)) && c.Status != between && !hidden {
				see(s, between.String(), r.EvaluatedAt, checker.ReasonError, c.Title+" was "+between.String()+" for a moment")
			}
		}
		see(s, c.Status.String(), r.EvaluatedAt, c.Reason, c.Message)
	}
}

// trackBreakers counts half-open as open, so that a long outage with many probes is one transition.
func (t *tracker) trackBreakers(r *Report, see observer) {
	for i := range r.Breakers {
		b := &r.Breakers[i]
		s := subject{"breaker", b.Name}
		is := func(state breaker.State, reason checker.Reason) {
			see(s, state.String(), r.EvaluatedAt, reason, "Circuit breaker "+b.Name+" is "+state.String())
		}
		if t.entered(s, 0, b.Transitions[breaker.Open]) || b.State != breaker.Closed {
			is(breaker.Open, checker.ReasonCircuitOpen)
		}
		if b.State == breaker.Closed {
			is(breaker.Closed, checker.ReasonOK)
		}
	}
}

// entered reports whether a counter of s has grown since the last report.
func (t *tracker) entered(s subject, which int, count uint64) bool {
	last := t.states[s]
	grown := last.value != "" && count > last.count[which]
	last.count[which] = count
	t.states[s] = last
	return grown
}

// explainWorst returns the reason and the text of the worst metric.
func explainWorst(r *Report) (checker.Reason, string) {
	if m := worst(r); m != nil {
		return m.Reason, m.Message
	}
	return checker.ReasonOK, "nothing is wrong"
}

// worst returns the metric that determines the overall status: a cause, if there is one; nil if all are healthy.
func worst(r *Report) (found *Metric) {
	for i := range r.Metrics {
		m := &r.Metrics[i]
		if m.Status == r.Overall && m.Status != checker.Healthy && (found == nil || found.CausedBy != "" && m.CausedBy == "") {
			found = m
		}
	}
	return found
}

// observe records that s has value, since then unless it had it before, and returns its state before.
func (t *tracker) observe(s subject, value string, since time.Time) (from state, changed bool) {
	from = t.states[s]
	now := from
	now.generation = t.generation
	if from.value != value {
		now.value, now.since = value, since
	}
	t.states[s] = now
	return from, from.value != "" && from.value != value
}

// forget drops subjects that this report did not have.
func (t *tracker) forget() {
	for s, state := range t.states {
		if state.generation != t.generation {
			delete(t.states, s)
		}
	}
}

// record puts found before the transitions and drops the oldest that do not fit: more than size, or more names than
// namesPerTransition for each.
func (t *tracker) record(found []Transition) {
	if len(found) == 0 || t.size == 0 {
		return
	}
	room := namesPerTransition * t.size
	kept := make([]Transition, 0, min(len(found)+len(t.transitions), t.size))
	fits := func(entry *Transition) bool {
		room -= len(entry.Names)
		return len(kept) < t.size && (room >= 0 || len(kept) == 0)
	}
	for _, entry := range slices.Backward(found) {
		if fits(&entry) {
			kept = append(kept, entry)
		}
	}
	for i := range t.transitions {
		if !fits(&t.transitions[i]) {
			break
		}
		kept = append(kept, t.transitions[i])
	}
	t.transitions = kept
}

// move is a change of names that happened together: from the same status that they had since the same time to the same
// status for the same causes. A failing dependency of a hundred services is one move, and so is its recovery.
type move struct {
	names []*ServingName // in the order of the report
	from  *ServingName
}

// nameTransitions returns one transition for each move.
func (t *tracker) nameTransitions(before []ServingName, r *Report) []Transition {
	if len(before) > 0 && len(r.Names) > 0 && &before[0] == &r.Names[0] {
		return nil
	}
	var moves []*move
	alike := make(map[moveKey][]*move)
	for i := range r.Names {
		n := &r.Names[i]
		for len(before) > 0 && before[0].Name < n.Name {
			before = before[1:]
		}
		if len(before) == 0 || before[0].Name != n.Name || before[0].Status == n.Status {
			continue
		}
		m := &move{names: []*ServingName{n}, from: &before[0]}
		key := m.key()
		if same := slices.IndexFunc(alike[key], m.sameCauses); same >= 0 {
			alike[key][same].names = append(alike[key][same].names, n)
			continue
		}
		alike[key] = append(alike[key], m)
		moves = append(moves, m)
	}
	found := make([]Transition, len(moves))
	for i, m := range moves {
		found[i] = m.transition()
		found[i].Names = t.shared(found[i].Names)
	}
	return found
}

// moveKey is what the names of one move have in common, besides all their causes.
type moveKey struct {
	from, to servingStatus
	moved    bool
	since    time.Time // when from began, if the name has had another status before
	cause    Cause     // the first one
}

func (m *move) key() moveKey {
	k := moveKey{from: m.from.Status, to: m.names[0].Status, moved: m.from.moved}
	if k.moved {
		k.since = m.from.since
	}
	if causes := m.names[0].Causes; len(causes) > 0 {
		k.cause = causes[0]
	}
	return k
}

func (m *move) sameCauses(other *move) bool {
	return slices.Equal(m.names[0].Causes, other.names[0].Causes)
}

func (m *move) transition() Transition {
	names := make([]string, len(m.names))
	for i, n := range m.names {
		names[i] = n.Name
	}
	first := m.names[slices.Index(names, head(names))]
	at := first.since
	entry := Transition{
		At: at, Subject: subject{"name", first.Name}.String(), From: m.from.Status.String(), To: first.Status.String(),
		Reason: checker.ReasonOK, Text: first.explain(), PreviousFor: max(at.Sub(m.from.since), 0), Names: names,
	}
	if len(first.Causes) > 0 {
		entry.Reason = first.Causes[0].Reason
	}
	return entry
}

// head returns the name that is the subject of a transition: readiness if it is among names, else the first.
func head(names []string) string {
	if slices.Contains(names, checker.Readiness) {
		return checker.Readiness
	}
	return names[0]
}

// shared returns the slice of an earlier transition with equal names, to save memory: those of an outage and of its end
// mostly are.
func (t *tracker) shared(names []string) []string {
	for i := range t.transitions {
		if slices.Equal(t.transitions[i].Names, names) {
			return t.transitions[i].Names
		}
	}
	return names
}
