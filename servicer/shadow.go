package servicer

import (
	"log/slog"
	"slices"
	"strings"
	"time"
)

// kindShadow is the subject of transitions of Report.Shadow.
const kindShadow = "shadow"

// shadow is the evaluation in which the checks and request limits in shadow gate as the others do; nil without any, and before
// and after the phase ready.
func (ev *evaluator) shadow(in *inputs, metrics []Metric) *evaluation {
	if in.phase != Ready || len(in.shadow) == 0 && !ev.requests.Shadow {
		return nil
	}
	acting, all := *ev, *in
	acting.requests.Shadow = false
	all.checks = slices.Clone(in.checks)
	for _, c := range in.shadow {
		for i := range all.checks {
			if all.checks[i].Name == c.Name {
				all.checks[i] = c
			}
		}
	}
	return &evaluation{gates: acting.newGates(&all, metrics)}
}

// shadowNames returns those of names that what is in shadow would keep from serving.
func (e *evaluation) shadowNames(manual map[string]servingStatus, names []ServingName) (found []ServingName) {
	if e.shadow == nil {
		return nil
	}
	for i := range names {
		n := &names[i]
		causes := e.shadow.name(manual, n.Name).Causes
		causes = slices.DeleteFunc(slices.Clone(causes), func(c Cause) bool { return slices.Contains(n.Causes, c) })
		if len(causes) > 0 {
			found = append(found, ServingName{Name: n.Name, Status: notServing, Causes: causes})
		}
	}
	return found
}

// shadowTransitions returns the transitions of Shadow, as if these names had not served meanwhile.
func (t *tracker) shadowTransitions(old, r *Report) []Transition {
	var last, before, after []ServingName
	if old != nil {
		last = old.Shadow
	}
	if len(last) == 0 && len(r.Shadow) == 0 {
		return nil
	}
	for i := range r.Shadow {
		n := &r.Shadow[i]
		was, known := findName(last, n.Name)
		n.since = r.EvaluatedAt
		if known {
			n.since = last[was].since
		} else {
			before, after = append(before, ServingName{Name: n.Name, Status: serving, since: n.since, moved: true}), append(after, *n)
		}
	}
	for _, n := range last {
		if _, still := findName(r.Shadow, n.Name); !still {
			n.moved = true
			before, after = append(before, n), append(after, ServingName{Name: n.Name, Status: serving, since: r.EvaluatedAt})
		}
	}
	byName := func(a, b ServingName) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(before, byName)
	slices.SortFunc(after, byName)
	found := t.nameTransitions(before, &Report{Names: after})
	for i := range found {
		found[i].Subject = kindShadow + strings.TrimPrefix(found[i].Subject, "name")
	}
	return found
}

func (t *Transition) shadow() bool { return strings.HasPrefix(t.Subject, kindShadow+"/") }

// logShadow logs a transition of Report.Shadow.
func (s *Server) logShadow(t *Transition) {
	if t.To == serving.String() {
		s.log.Log(slog.LevelInfo, "shadow: names would be serving again",
			slog.Any("names", notable(t.Names)), slog.Duration("previous_for", t.PreviousFor.Round(time.Millisecond)))
		return
	}
	s.log.Log(slog.LevelInfo, "shadow: names would not be serving", slog.Any("names", notable(t.Names)),
		slog.String("reason", t.Reason.String()), slog.String("text", t.Text))
}
