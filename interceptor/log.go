package interceptor

import (
	"context"
	"log/slog"
)

// logger writes the package's log records.
type logger struct{ out *slog.Logger }

// newLogger returns a logger that writes to out, nil meaning slog.Default().
func newLogger(out *slog.Logger) logger {
	if out == nil {
		out = slog.Default()
	}
	return logger{out.With(slog.String("logger", "plugin.health")).WithGroup("vitals")}
}

// log writes one record and returns when the handler has. The handler runs in a goroutine of its own, so that one that
// panics or calls runtime.Goexit ends neither the process nor the call.
func (l logger) log(ctx context.Context, level slog.Level, message string, attrs ...slog.Attr) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		l.out.LogAttrs(ctx, level, message, attrs...)
	}()
	<-done
}
