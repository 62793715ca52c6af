package checker

import (
	"log/slog"
	"time"

	"github.com/vitals-go/vitals/internal/errtext"
)

const reminderInterval = 5 * time.Minute

// logResult logs the transition from before to after by o, or a reminder that nothing has changed.
func (c *Checker) logResult(before, after *Result, o *outcome, changed bool) {
	attrs := []slog.Attr{
		slog.String("check", after.Name),
		slog.String("status", after.Status.String()),
		slog.String("reason", after.Reason.String()),
		slog.String("was", before.Status.String()),
		slog.Int("failures", after.Failures),
		slog.Duration("duration", after.Duration),
	}
	if before.Status != after.Status && !before.Since.IsZero() {
		attrs = append(attrs, slog.Duration("previous_for", after.Since.Sub(before.Since).Round(time.Millisecond)))
	}
	if after.CausedBy != "" {
		attrs = append(attrs, slog.String("caused_by", after.CausedBy))
	}
	if after.Err != nil {
		attrs = append(attrs, slog.String("error", errtext.Of(after.Err)))
	}
	if o.abandoned {
		attrs = append(attrs, slog.Bool("abandoned", true))
	}
	if !changed {
		attrs = append(attrs, slog.Bool("reminder", true), slog.Time("since", after.Since))
	} else if o.stack != nil {
		attrs = append(attrs, slog.String("stack", string(o.stack)))
	}
	c.log.Log(logLevel(before, after), after.Message, attrs...)
}

// logLevel follows the new status. What another check explains, and a first result that is healthy, is for debugging.
func logLevel(before, after *Result) slog.Level {
	switch {
	case after.CausedBy != "", before.CausedBy != "" && after.Status == Healthy:
		return slog.LevelDebug
	case after.Status == Critical && !after.Shadow:
		return slog.LevelError
	case after.Status != Healthy:
		return slog.LevelWarn
	case before.Reason == ReasonNotRunYet:
		return slog.LevelDebug
	default:
		return slog.LevelInfo
	}
}
