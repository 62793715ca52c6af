package servicer

import (
	"log/slog"
	"slices"
	"strings"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/errtext"
)

// explain says in a sentence that is safe for everybody why the name is what it is.
func (n *ServingName) explain() string {
	if len(n.Causes) == 0 {
		return "nothing keeps it from serving"
	}
	texts := make([]string, len(n.Causes))
	for i, c := range n.Causes {
		texts[i] = c.Text
		if c.Check != "" {
			texts[i] = c.Check + ": " + c.Text
		}
	}
	return strings.Join(texts, "; ")
}

// explain turns what is new in an edition into log lines: one for the phase, one for the overall status, and one for all
// names that changed together for the same cause, so that a failing dependency of a hundred services is told once.
// Checks and breakers have a log of their own.
func explain(found []Transition, before, after *Report) []line {
	var lines []line
	if before.Phase != after.Phase {
		lines = append(lines, line{slog.LevelInfo, "phase is " + after.Phase.String(), []slog.Attr{
			slog.String("from", before.Phase.String()), slog.String("to", after.Phase.String()),
		}})
	}
	if before.Overall != after.Overall {
		lines = append(lines, explainOverall(before, after))
	}
	for i := range found {
		name, ofName := strings.CutPrefix(found[i].Subject, "name/")
		if head, known := after.Lookup(name); ofName && known {
			lines = append(lines, explainNames(head, found[i].Names, after))
		}
	}
	return lines
}

func explainOverall(before, after *Report) line {
	level := slog.LevelInfo
	if after.Overall.Worse(before.Overall) && after.Overall.Worse(checker.Warning) && after.Phase == Ready {
		level = slog.LevelWarn
	}
	reason, text := worst(after)
	return line{level, "overall status is " + after.Overall.String(), []slog.Attr{
		slog.String("from", before.Overall.String()), slog.String("to", after.Overall.String()),
		slog.String("reason", reason), slog.String("text", text),
	}}
}

// explainNames walks from a group's head to the check and its reason.
func explainNames(head *ServingName, names []string, after *Report) line {
	l := line{slog.LevelInfo, title(head.Name) + " serves", []slog.Attr{slog.Any("names", names)}}
	if head.Status == healthpb.HealthCheckResponse_SERVING {
		return l.quieter(names, after)
	}
	l.text = title(head.Name) + " stopped serving"
	if after.Phase == Ready {
		l.level = slog.LevelWarn
	}
	if len(head.Causes) > 0 {
		cause := head.Causes[0]
		l.attrs = append(l.attrs, slog.String("reason", cause.Reason.String()), slog.String("text", head.explain()))
		if cause.Check != "" {
			l.attrs = append(l.attrs, slog.String("check", cause.Check))
		}
		if err := causeOf(after, cause.Check); err != "" {
			l.attrs = append(l.attrs, slog.String("error", err))
		}
	}
	return l.quieter(names, after)
}

// quieter is l for debugging if all names are those of resources: nobody sends traffic by them, and what they measure is
// told by the checker. A start and an end would otherwise be ten lines of them.
func (l line) quieter(names []string, after *Report) line {
	for _, name := range names {
		if !slices.ContainsFunc(after.Checks, func(c *checker.Result) bool { return c.Name == name && c.Kind == checker.Resource }) {
			return l
		}
	}
	l.level = slog.LevelDebug
	return l
}

func title(name string) string {
	if name == "" {
		return "server"
	}
	return name
}

// causeOf is the raw cause behind a check: the log is the one place that always has it.
func causeOf(r *Report, check string) string {
	for _, c := range r.Checks {
		if c.Name == check {
			return errtext.Of(c.Err)
		}
	}
	return ""
}
