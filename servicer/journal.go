package servicer

import (
	"slices"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
)

// history is the judge's memory: what each subject was and since when, and the last transitions. It is not safe for
// concurrent use.
type history struct {
	size   int
	seq    uint64 // of the last transition
	round  uint64
	states map[subject]state
	// journal, newest first. Reports share it: it is replaced, never changed.
	journal []Transition
}

// subject is something that has a state. Kinds are those of Transition.Subject, and metric, which has no journal.
type subject struct{ kind, name string }

func (s subject) String() string {
	if s.name == "" && s.kind != "name" {
		return s.kind
	}
	return s.kind + "/" + s.name
}

type state struct {
	value string
	since time.Time
	moved bool   // since is a transition, not only when it was first seen
	round uint64 // when it was last seen
	// counts are how often a witness says that it was in each state.
	counts [4]uint64
}

func newHistory(size int) *history {
	return &history{size: size, states: make(map[subject]state)}
}

// note adds to r what needs memory and returns the transitions that it brings, causes before consequences. What is
// seen for the first time has made no transition.
func (h *history) note(r *Report) []Transition {
	h.round++
	for i := range r.Metrics {
		m := &r.Metrics[i]
		since := m.Since
		if since.IsZero() {
			since = r.EvaluatedAt
		}
		h.observe(subject{"metric", m.Name}, m.Status.String(), since)
		m.Since = h.states[subject{"metric", m.Name}].since
	}
	var found []Transition
	see := func(s subject, value string, since time.Time, reason, text string) {
		if from, changed := h.observe(s, value, since); changed {
			found = append(found, Transition{
				At: r.EvaluatedAt, Subject: s.String(), From: from.value, To: value,
				Reason: reason, Text: text, PreviousFor: max(since.Sub(from.since), 0),
			})
		}
	}
	h.noteWitnesses(r, see)
	h.noteVerdict(r, see)
	found = append(found, h.noteNames(r)...)
	h.forget()
	for i := range found {
		h.seq++
		found[i].Seq = h.seq
	}
	h.enter(found)
	r.Transitions = h.journal
	return found
}

type observer func(s subject, value string, since time.Time, reason, text string)

// noteWitnesses also sees where a check or a breaker was between two editions, by what it counts itself.
func (h *history) noteWitnesses(r *Report, see observer) {
	for _, c := range r.Checks {
		s := subject{"check", c.Name}
		for _, between := range [...]checker.Status{checker.Warning, checker.Critical} {
			if h.passed(s, int(between), c.Runs.ByStatus(between)) && c.Status != between {
				see(s, between.String(), r.EvaluatedAt, "", c.Title+" was "+between.String()+" for a moment")
			}
		}
		see(s, c.Status.String(), r.EvaluatedAt, c.Reason.String(), c.Message)
	}
	for i := range r.Breakers {
		b := &r.Breakers[i]
		s := subject{"breaker", b.Name}
		say := func(state breaker.State, reason checker.Reason) {
			see(s, state.String(), r.EvaluatedAt, reason.String(), "Circuit breaker "+b.Name+" is "+state.String())
		}
		// Half-open is open on trial: a long outage has many trials and is one outage all the same.
		if h.passed(s, int(breaker.Open), b.Transitions[breaker.Open]) || b.State != breaker.Closed {
			say(breaker.Open, checker.ReasonCircuitOpen)
		}
		if b.State == breaker.Closed {
			say(breaker.Closed, checker.ReasonOK)
		}
	}
}

// passed reports whether a counter of s has grown since the last edition, without s having been seen in that state.
func (h *history) passed(s subject, which int, count uint64) bool {
	last := h.states[s]
	grown := last.value != "" && count > last.counts[which]
	last.counts[which] = count
	h.states[s] = last
	return grown
}

func (h *history) noteVerdict(r *Report, see observer) {
	reason, text := worst(r)
	see(subject{kind: "overall"}, r.Overall.String(), r.EvaluatedAt, reason, text)
	see(subject{kind: "phase"}, r.Phase.String(), r.EvaluatedAt, phaseReason(r.Phase).String(), "the process is "+r.Phase.String())
}

// worst tells which metric made the overall status what it is.
func worst(r *Report) (reason, text string) {
	for i := range r.Metrics {
		if m := &r.Metrics[i]; m.Status == r.Overall && m.Status != checker.Healthy {
			return m.Reason.String(), m.Message
		}
	}
	return checker.ReasonOK.String(), "nothing is wrong"
}

// observe records that s has value, since when unless it had it before. It returns what s was if that has changed.
func (h *history) observe(s subject, value string, since time.Time) (from state, changed bool) {
	from = h.states[s]
	now := from
	now.round = h.round
	if from.value != value {
		now.value, now.since, now.moved = value, since, from.value != ""
	}
	h.states[s] = now
	return from, from.value != "" && from.value != value
}

// forget drops what was not seen this time, so that names that come and go leave nothing behind.
func (h *history) forget() {
	for s, state := range h.states {
		if state.round != h.round {
			delete(h.states, s)
		}
	}
}

// enter puts found before what the journal has, and drops the oldest of what does not fit: more entries than there is
// room for, or more names than ten for each entry.
func (h *history) enter(found []Transition) {
	if len(found) == 0 || h.size == 0 {
		return
	}
	room := namesPerEntry * h.size
	journal := make([]Transition, 0, min(len(found)+len(h.journal), h.size))
	fits := func(t *Transition) bool {
		room -= len(t.Names)
		return len(journal) < h.size && (room >= 0 || len(journal) == 0)
	}
	for _, t := range slices.Backward(found) {
		if fits(&t) {
			journal = append(journal, t)
		}
	}
	for i := range h.journal {
		if !fits(&h.journal[i]) {
			break
		}
		journal = append(journal, h.journal[i])
	}
	h.journal = journal
}
