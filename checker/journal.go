package checker

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/vitals-go/vitals/internal/errtext"
)

const (
	reminderInterval = 5 * time.Minute
	journalLines     = 1024
)

// journal writes the log in a goroutine of its own: a handler that blocks must not stop the schedule.
type journal struct {
	logger  *slog.Logger
	lines   chan line
	dropped atomic.Uint64
}

type line struct {
	before, after *Result
	stack         []byte
	abandoned     bool
	reminder      bool
}

func newJournal(logger *slog.Logger) *journal {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &journal{
		logger: logger.With(slog.String("logger", "plugin.health")).WithGroup("vitals"),
		lines:  make(chan line, journalLines),
	}
}

// level is that of the status that has been reached. A resource that is found healthy at the start is no news.
func (l line) level() slog.Level {
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

// note never blocks.
func (j *journal) note(l line) {
	select {
	case j.lines <- l:
	default:
		j.dropped.Add(1)
	}
}

// run writes until ctx ends, and then what is left.
func (j *journal) run(ctx context.Context) {
	for {
		select {
		case l := <-j.lines:
			j.write(l)
			continue
		case <-ctx.Done():
		}
		for {
			select {
			case l := <-j.lines:
				j.write(l)
			default:
				return
			}
		}
	}
}

func (j *journal) write(l line) {
	ctx, lost := context.Background(), j.dropped.Load()
	// A log handler that panics must not end the process.
	defer func() {
		if recover() != nil {
			j.dropped.Add(1)
		}
	}()
	level := l.level()
	if !j.logger.Enabled(ctx, level) {
		return
	}
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
	if lost > 0 {
		attrs = append(attrs, slog.Uint64("dropped", lost))
	}
	j.logger.LogAttrs(ctx, level, l.after.Message, attrs...)
	j.dropped.Add(-lost) // told
}
