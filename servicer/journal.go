package servicer

import (
	"slices"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// history is the judge's memory: what each subject was and since when, and the last transitions. It is not safe for
// concurrent use.
type history struct {
	size   int
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
	round uint64 // when it was last seen
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
			since = r.At
		}
		h.observe(subject{"metric", m.Name}, m.Status.String(), since)
		m.Since = h.states[subject{"metric", m.Name}].since
	}
	var found []Transition
	see := func(s subject, value string, since time.Time, reason, text string) {
		if from, changed := h.observe(s, value, since); changed {
			found = append(found, Transition{
				At: r.At, Subject: s.String(), From: from.value, To: value,
				Reason: reason, Text: text, Lasted: max(since.Sub(from.since), 0),
			})
		}
	}
	for _, c := range r.Checks {
		see(subject{"check", c.Name}, c.Status.String(), r.At, c.Reason.String(), c.Message)
	}
	h.noteBreakers(r, see)
	h.noteVerdict(r, see)
	h.forget()
	h.enter(found)
	r.Journal = h.journal
	return found
}

type observer func(s subject, value string, since time.Time, reason, text string)

// noteBreakers also sees a breaker that was open between two editions and is not any more.
func (h *history) noteBreakers(r *Report, see observer) {
	for i := range r.Breakers {
		b := &r.Breakers[i]
		s := subject{"breaker", b.Name}
		reason := checker.ReasonCircuitOpen
		if b.State == 0 {
			reason = checker.ReasonOK
		}
		see(s, b.State.String(), r.At, reason.String(), "Circuit breaker "+b.Name+" is "+b.State.String())
	}
}

func (h *history) noteVerdict(r *Report, see observer) {
	reason, text := worst(r)
	see(subject{kind: "overall"}, r.Overall.String(), r.At, reason, text)
	see(subject{kind: "phase"}, r.Phase.String(), r.At, phaseReason(r.Phase).String(), "the process is "+r.Phase.String())
	for i := range r.Names {
		n := &r.Names[i]
		reason := checker.ReasonOK
		if len(n.Because) > 0 {
			reason = n.Because[0].Reason
		}
		see(subject{"name", n.Name}, n.Status.String(), r.At, reason.String(), n.explain())
	}
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
	from, seen := h.states[s]
	if seen && from.value == value {
		from.round = h.round
		h.states[s] = from
		return state{}, false
	}
	h.states[s] = state{value, since, h.round}
	return from, seen
}

// forget drops what was not seen this time, so that names that come and go leave nothing behind.
func (h *history) forget() {
	for s, state := range h.states {
		if state.round != h.round {
			delete(h.states, s)
		}
	}
}

func (h *history) enter(found []Transition) {
	if len(found) == 0 || h.size == 0 {
		return
	}
	journal := make([]Transition, 0, min(len(found)+len(h.journal), h.size))
	for _, t := range slices.Backward(found) {
		if len(journal) < h.size {
			journal = append(journal, t)
		}
	}
	h.journal = append(journal, h.journal[:min(len(h.journal), h.size-len(journal))]...)
}
