package servicer

import (
	"slices"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// namesPerEntry bounds, on average, how many names the journal's entries list, so that a server of a thousand services
// does not remember all of them a hundred times.
const namesPerEntry = 10

// move is a change of names that happened together: from the same status, at the same time, to the same status for the
// same causes. A failing dependency of a hundred services is one move, and so is its coming back.
type move struct {
	names []*ServingName // in the order of the report
	from  state
	since time.Time // when the names came to what they were; zero if that is how they were first seen
}

// noteNames observes all names and returns one transition for each move.
func (h *history) noteNames(r *Report) []Transition {
	var moves []*move
	for i := range r.Names {
		n := &r.Names[i]
		from, changed := h.observe(subject{"name", n.Name}, n.Status.String(), r.EvaluatedAt)
		if !changed {
			continue
		}
		m := &move{names: []*ServingName{n}, from: from}
		if from.moved {
			m.since = from.since
		}
		if same := slices.IndexFunc(moves, m.together); same >= 0 {
			moves[same].names = append(moves[same].names, n)
			continue
		}
		moves = append(moves, m)
	}
	found := make([]Transition, len(moves))
	for i, m := range moves {
		found[i] = m.transition(r.EvaluatedAt)
		found[i].Names = h.shared(found[i].Names)
	}
	return found
}

func (m *move) together(other *move) bool {
	return m.from.value == other.from.value && m.since.Equal(other.since) &&
		m.names[0].Status == other.names[0].Status && slices.Equal(m.names[0].Causes, other.names[0].Causes)
}

// head is the name that most people ask for.
func (m *move) head() *ServingName {
	for _, n := range m.names {
		if n.Name == checker.Readiness {
			return n
		}
	}
	return m.names[0]
}

func (m *move) transition(at time.Time) Transition {
	head := m.head()
	t := Transition{
		At: at, Subject: subject{"name", head.Name}.String(), From: m.from.value, To: head.Status.String(),
		Reason: checker.ReasonOK.String(), Text: head.explain(), PreviousFor: max(at.Sub(m.from.since), 0),
		Names: make([]string, len(m.names)),
	}
	if len(head.Causes) > 0 {
		t.Reason = head.Causes[0].Reason.String()
	}
	for i, n := range m.names {
		t.Names[i] = n.Name
	}
	return t
}

// shared returns names in the memory of an earlier entry that has the same ones: an outage and its end mostly do.
func (h *history) shared(names []string) []string {
	for i := range h.journal {
		if slices.Equal(h.journal[i].Names, names) {
			return h.journal[i].Names
		}
	}
	return names
}
