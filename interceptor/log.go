package interceptor

import (
	"context"
	"log/slog"
)

// logger writes all log records of the package.
type logger struct{ out *slog.Logger }

// newLogger returns a logger that writes to out, nil meaning slog.Default().
func newLogger(out *slog.Logger) logger {
	if out == nil {
		out = slog.Default()
	}
	return logger{out.With(slog.String("logger", "plugin.health")).WithGroup("vitals")}
}

// log writes one record and returns when the handler has. Both attrs and the handler run in a goroutine of their own,
// so that a panic or runtime.Goexit in them ends neither the process nor the call.
func (l logger) log(ctx context.Context, level slog.Level, message string, attrs func() []slog.Attr) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		l.out.LogAttrs(ctx, level, message, attrs()...)
	}()
	<-done
}
