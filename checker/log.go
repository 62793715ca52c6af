package checker

import (
	"log/slog"
	"time"

	"github.com/vitals-go/vitals/internal/asynclog"
	"github.com/vitals-go/vitals/internal/errtext"
)

const (
	reminderInterval = 5 * time.Minute
	// logGrace is how long Run waits, at its end, for a log handler that blocks.
	logGrace = time.Second
)

// newLog returns the log of checks; a nil logger discards.
func newLog(logger *slog.Logger) *asynclog.Logger {
	if logger == nil {
		return asynclog.New(nil)
	}
	return asynclog.New(logger.With(slog.String("logger", "plugin.health")).WithGroup("vitals"))
}

// line is one record about a check.
type line struct {
	before, after *Result
	stack         []byte
	abandoned     bool
	reminder      bool
}

// level follows the new status. The first result of a healthy resource is for debugging.
func (l *line) level() slog.Level {
	switch l.after.Status {
	case Critical:
		return slog.LevelError
	case Warning, Unknown:
		return slog.LevelWarn
	}
	if l.after.Kind == Resource && l.before.Reason == ReasonNotRunYet {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

func (l *line) record() (slog.Level, string, []slog.Attr) {
	attrs := []slog.Attr{
		slog.String("check", l.after.Name),
		slog.String("status", l.after.Status.String()),
		slog.String("reason", l.after.Reason.String()),
		slog.String("was", l.before.Status.String()),
		slog.Int("failures", l.after.Failures),
		slog.Duration("duration", l.after.Duration),
	}
	if l.after.Err != nil {
		attrs = append(attrs, slog.String("error", errtext.Of(l.after.Err)))
	}
	if l.abandoned {
		attrs = append(attrs, slog.Bool("abandoned", true))
	}
	if l.reminder {
		attrs = append(attrs, slog.Bool("reminder", true), slog.Time("since", l.after.Since))
	}
	if l.stack != nil {
		attrs = append(attrs, slog.String("stack", string(l.stack)))
	}
	return l.level(), l.after.Message, attrs
}
