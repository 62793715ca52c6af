package servicer

import (
	"cmp"
	"log/slog"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/errtext"
)

// logChanges logs what differs between two reports: the phase, the overall status, and one line for all names that changed
// together for the same cause. The checker logs its checks itself.
func (s *Server) logChanges(transitions []Transition, before, after *Report) {
	if before.Phase != after.Phase {
		s.log.Log(slog.LevelInfo, "phase is "+after.Phase.String(),
			slog.String("from", before.Phase.String()), slog.String("to", after.Phase.String()))
	}
	if before.Overall != after.Overall {
		s.logOverall(before, after)
	}
	for i := range transitions {
		if transitions[i].shadow() {
			s.logShadow(&transitions[i])
		} else if names := transitions[i].Names; len(names) > 0 {
			s.logNames(after, names)
		}
	}
}

func (s *Server) logOverall(before, after *Report) {
	level := slog.LevelInfo
	if after.Overall.Worse(before.Overall) && after.Overall.Worse(checker.Warning) && after.Phase == Ready {
		level = slog.LevelWarn
	}
	reason, text := worst(after)
	s.log.Log(level, "overall status is "+after.Overall.String(),
		slog.String("from", before.Overall.String()), slog.String("to", after.Overall.String()),
		slog.String("reason", reason.String()), slog.String("text", text))
}

// logNames logs a change of names that share a cause.
func (s *Server) logNames(r *Report, names []string) {
	n, known := r.Lookup(head(names))
	if !known {
		return
	}
	level, text, attrs := slog.LevelInfo, cmp.Or(n.Name, "server")+" is serving", []slog.Attr{slog.Any("names", names)}
	if n.Status != serving {
		text = cmp.Or(n.Name, "server") + " is not serving"
		onPurpose := len(n.Causes) == 1 && n.Causes[0].Reason == checker.ReasonStandby
		if r.Phase == Ready && !onPurpose {
			level = slog.LevelWarn
		}
		if len(n.Causes) > 0 {
			attrs = append(attrs, n.Causes[0].attrs(n, r)...)
		}
	}
	if quiet(names, r) {
		level = slog.LevelDebug
	}
	s.log.Log(level, text, attrs...)
}

func (c *Cause) attrs(n *ServingName, r *Report) []slog.Attr {
	attrs := []slog.Attr{slog.String("reason", c.Reason.String()), slog.String("text", n.explain())}
	if c.Check == "" {
		return attrs
	}
	attrs = append(attrs, slog.String("check", c.Check))
	for _, check := range r.Checks {
		if check.Name == c.Check && check.Err != nil {
			attrs = append(attrs, slog.String("error", errtext.Of(check.Err)))
		}
	}
	return attrs
}

// quiet reports whether all names are those of resources, on which no traffic depends and whose measurements the checker has
// logged, or of checks that another explains, which is logged.
func quiet(names []string, r *Report) bool {
	for _, name := range names {
		c, found := (&checker.Snapshot{Results: r.Checks}).Lookup(name)
		if !found || c.Kind != checker.Resource && c.CausedBy == "" {
			return false
		}
	}
	return true
}
