package servicer

import (
	"log/slog"
	"slices"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/asynclog"
	"github.com/vitals-go/vitals/internal/errtext"
)

// logChanges logs what differs between two reports. What begins or ends together is one line: names that changed for the
// same cause, with the line that the checker has written about that cause. The phase and the overall status have a line of
// their own if no other line of this change tells.
func (s *Server) logChanges(transitions []Transition, before, after *Report) {
	c := change{log: s.log, before: before, after: after}
	c.checks = s.log.Take(func(lines []asynclog.Held) bool { return reported(lines, after) })
	told := len(c.checks) > 0
	for _, m := range c.moves(transitions) {
		told = c.logNames(m) || told
	}
	for _, line := range c.checks {
		s.log.LogHeld(line)
	}
	for i := range transitions {
		if transitions[i].shadow() {
			s.logShadow(&transitions[i])
		}
	}
	if before.Phase != after.Phase && (after.Phase != Ready || !told) {
		told = true
		s.log.Log(slog.LevelInfo, "phase is "+after.Phase.String(),
			slog.String("from", before.Phase.String()), slog.String("to", after.Phase.String()))
	}
	if before.Overall != after.Overall && !told {
		c.logOverall()
	}
}

// reported reports whether r has the result that the first of lines is about: the status of the check in r is that of this
// or a later line.
func reported(lines []asynclog.Held, r *Report) bool {
	name := lines[0].Attr("check").String()
	result, found := (&checker.Snapshot{Results: r.Checks}).Lookup(name)
	return !found || slices.ContainsFunc(lines, func(line asynclog.Held) bool {
		return line.Attr("check").String() == name && line.Attr("status").String() == result.Status.String()
	})
}

// change is the difference between two reports.
type change struct {
	log           *asynclog.Logger
	before, after *Report
	checks        []asynclog.Held // lines of the checker that are not logged yet
}

// namesMove is all names that have the same status now for the same cause, whatever they had before.
type namesMove struct {
	name        *ServingName
	cause       Cause // of the status NOT_SERVING, now or before
	names       []string
	previousFor time.Duration
}

func (c *change) moves(transitions []Transition) (moves []*namesMove) {
	for i := range transitions {
		t := &transitions[i]
		if len(t.Names) == 0 || t.shadow() {
			continue
		}
		n, found := c.after.Lookup(head(t.Names))
		if !found {
			continue
		}
		cause := firstCause(n)
		if old, found := c.before.Lookup(n.Name); found && n.Status == serving {
			cause = firstCause(old)
		}
		same := slices.IndexFunc(moves, func(m *namesMove) bool { return m.name.Status == n.Status && m.cause == cause })
		if same < 0 {
			moves = append(moves, &namesMove{n, cause, t.Names, t.PreviousFor})
			continue
		}
		m := moves[same]
		if n.Name == checker.Readiness {
			m.name, m.previousFor = n, t.PreviousFor
		}
		m.names = slices.Sorted(slices.Values(slices.Concat(m.names, t.Names)))
	}
	return moves
}

func (c *change) logOverall() {
	before, after := c.before, c.after
	level, worse := slog.LevelInfo, after
	if after.Overall.Worse(before.Overall) && after.Overall.Worse(checker.Warning) && after.Phase == Ready {
		level = slog.LevelWarn
	} else if before.Overall.Worse(after.Overall) {
		worse = before
	}
	if before.Overall == checker.Unknown && worse == before { // the first results, or a check that has a line
		return
	}
	if m := worst(worse); m != nil && m.Kind == kindBreaker && known(after.Checks, m.Subject) {
		return // the check of that name runs at once, and has a line
	}
	reason, text := explainWorst(after)
	c.log.Log(level, "overall status is "+after.Overall.String(),
		slog.String("from", before.Overall.String()), slog.String("to", after.Overall.String()),
		slog.String("reason", reason.String()), slog.String("text", text))
}

// logNames reports whether m has a line.
func (c *change) logNames(m *namesMove) bool {
	n, cause := m.name, m.cause
	names := withoutChecks(notable(m.names), cause, c.after)
	if len(names) == 0 || n.Status != serving && cause.Reason == checker.ReasonDraining { // the phase tells
		return false
	}
	report, level := c.before, slog.LevelInfo
	if n.Status != serving {
		report = c.after
		if report.Phase == Ready && cause.Reason != checker.ReasonStandby {
			level = slog.LevelWarn
		}
	}
	attrs := []slog.Attr{slog.Any("names", names), slog.Duration("previous_for", m.previousFor.Round(time.Millisecond))}
	why, text := n.explain(), names[0]+" is serving"
	line, found := c.take(cause.Check)
	if found {
		why, text = line.Message, names[0]+" is serving: "+line.Message
	}
	if n.Status != serving {
		text = names[0] + " is not serving: " + why
	}
	if found {
		c.log.LogHeld(line.With(level, text, attrs...))
		return true
	}
	if n.Status != serving {
		attrs = append(attrs, slog.String("reason", cause.Reason.String()))
	}
	c.log.Log(level, text, append(attrs, cause.attrs(report)...)...)
	return true
}

// take returns the line of the checker about a change of the status of check, and removes it from the others.
func (c *change) take(check string) (line asynclog.Held, found bool) {
	for i, line := range slices.Backward(c.checks) {
		if check != "" && line.Attr("check").String() == check && line.Attr("status").String() != line.Attr("was").String() {
			c.checks = slices.Delete(c.checks, i, i+1)
			return line, true
		}
	}
	return line, false
}

// firstCause returns the zero Cause if there is none.
func firstCause(n *ServingName) Cause {
	if len(n.Causes) == 0 {
		return Cause{}
	}
	return n.Causes[0]
}

func (c *Cause) attrs(r *Report) []slog.Attr {
	if c.Check == "" {
		return nil
	}
	attrs := []slog.Attr{slog.String("check", c.Check)}
	if check, found := (&checker.Snapshot{Results: r.Checks}).Lookup(c.Check); found && check.Err != nil {
		attrs = append(attrs, slog.String("error", errtext.Of(check.Err)))
	}
	return attrs
}

// notable returns the names that matter to a person, the whole server as "server". Others say the same again, or say
// nothing: readiness beside it, startup, and services about the server instead of its work.
func notable(names []string) (list []string) {
	whole := slices.Contains(names, "")
	if whole {
		list = []string{"server"}
	}
	for _, name := range names {
		if name != "" && name != checker.Startup && (name != checker.Readiness || !whole) && !interceptor.IsInfrastructure("/"+name+"/") {
			list = append(list, name)
		}
	}
	return list
}

// withoutChecks removes the names of checks, which have lines of their own, unless somebody has changed their status.
func withoutChecks(names []string, cause Cause, r *Report) []string {
	switch cause.Reason {
	case checker.ReasonManual, checker.ReasonMaintenance, checker.ReasonStandby:
		return names
	}
	return slices.DeleteFunc(names, func(name string) bool { return known(r.Checks, name) })
}

func known(checks []*checker.Result, name string) bool {
	_, found := (&checker.Snapshot{Results: checks}).Lookup(name)
	return found
}
