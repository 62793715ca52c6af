// Package asynclog writes all log records of the library. It is the only package that calls a slog.Handler, which is code
// of the user: it may block, panic, or end its goroutine.
package asynclog

import (
	"context"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"
)

const (
	// MaxPending is the number of records that wait for a handler that blocks. Further ones are dropped and counted.
	MaxPending = 1024
	// Grace is how long the end of a component waits for a handler that blocks.
	Grace = time.Second
)

// Logger queues records and writes them in order, one at a time. The attributes of
// each are in the group vitals, the first of which is logger=plugin.health. The goroutine of a Logger starts with a record and
// ends when the queue is empty, so an idle Logger has none. A handler that panics or ends its goroutine loses one record. The next record that is
// written has the attribute dropped, the number of records lost before it. Create it with New.
type Logger struct {
	handler slog.Handler
	to      *Logger // where the records of a deferred Logger wait; nil for others

	mu      sync.Mutex
	pending []record
	dropped int
	writing bool // the goroutine runs
	held    []Held
	holding *time.Timer // releases held; nil before the first
}

// record is one queued record, or a mark of Flush.
type record struct {
	slog.Record

	ctx   context.Context
	attrs []slog.Attr
	mark  chan struct{} // closed when all records before it have been written; nil for a record
}

// New returns a Logger that writes to the handler of log; nil discards. For a logger with a Handler of this package it
// returns the Logger of that, so that components share one queue.
func New(log *slog.Logger) *Logger {
	if log == nil {
		return &Logger{handler: slog.DiscardHandler}
	}
	if h, shared := log.Handler().(Handler); shared {
		return h.logger
	}
	return &Logger{handler: log.Handler()}
}

// Log queues a record. It never blocks and calls no code of the handler. The handler formats attrs later.
func (l *Logger) Log(level slog.Level, message string, attrs ...slog.Attr) {
	l.log(context.Background(), level, message, attrs)
}

// LogContext is Log with a context for the handler, which may take the values of a trace from it.
func (l *Logger) LogContext(ctx context.Context, level slog.Level, message string, attrs ...slog.Attr) {
	l.log(context.WithoutCancel(ctx), level, message, attrs)
}

func (l *Logger) log(ctx context.Context, level slog.Level, message string, attrs []slog.Attr) {
	var caller [1]uintptr
	runtime.Callers(3, caller[:]) // of Log or LogContext, for slog.HandlerOptions.AddSource
	l.add(record{Record: slog.NewRecord(time.Now(), level, message, caller[0]), ctx: ctx, attrs: attrs})
}

func (l *Logger) add(r record) {
	if l.to != nil {
		l.to.hold(r)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending) >= MaxPending && r.mark == nil {
		l.dropped++
		return
	}
	l.pending = append(l.pending, r)
	if !l.writing {
		l.writing = true
		go l.write()
	}
}

// Flush waits until all records before it have been written, at most for timeout. It reports whether they have.
func (l *Logger) Flush(timeout time.Duration) bool {
	if l.to != nil {
		return l.to.Flush(timeout)
	}
	l.release()
	l.mu.Lock()
	idle := !l.writing
	l.mu.Unlock()
	if idle {
		return true
	}
	mark := make(chan struct{})
	l.add(record{mark: mark})
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	select {
	case <-mark:
		return true
	case <-deadline.C:
		return false
	}
}

// write is the goroutine. One that the handler ends by runtime.Goexit is replaced.
func (l *Logger) write() {
	returned := false
	defer func() {
		if !returned {
			go l.write()
		}
	}()
	for l.writeNext() {
	}
	returned = true
}

// writeNext writes one record and reports whether there may be more. The goroutine ends once it returns false.
func (l *Logger) writeNext() (more bool) {
	l.mu.Lock()
	if len(l.pending) == 0 {
		l.writing, l.pending = false, nil
		l.mu.Unlock()
		return false
	}
	r, lost := l.pending[0], l.dropped
	l.pending[0], l.pending = record{}, l.pending[1:]
	l.mu.Unlock()
	if r.mark != nil {
		close(r.mark)
		return true
	}
	written := false
	defer func() {
		_ = recover() // a handler that panics
		l.mu.Lock()
		defer l.mu.Unlock()
		more = true
		if written {
			l.dropped -= lost
		} else {
			l.dropped++
		}
	}()
	if l.handler.Enabled(r.ctx, r.Level) {
		r.write(l.handler, lost)
	} else {
		lost = 0
	}
	written = true
	return true
}

func (r record) write(handler slog.Handler, lost int) {
	if lost > 0 {
		r.attrs = append(slices.Clip(r.attrs), slog.Int("dropped", lost))
	}
	// In the group, because the logger of the application may have an attribute logger already.
	r.AddAttrs(slog.GroupAttrs("vitals", append([]slog.Attr{slog.String("logger", "plugin.health")}, r.attrs...)...))
	_ = handler.Handle(r.ctx, r.Record)
}

// Handler returns a slog.Handler that queues records, for New and for slog.NewLogLogger.
func (l *Logger) Handler() Handler { return Handler{l.handler, l} }

// Handler queues the records of a Logger. Its other methods are those of the Logger's handler.
type Handler struct {
	slog.Handler

	logger *Logger
}

// Enabled returns true: the Logger's handler decides later.
func (Handler) Enabled(context.Context, slog.Level) bool { return true }

// Handle queues r.
func (h Handler) Handle(ctx context.Context, r slog.Record) error {
	h.logger.add(record{Record: r.Clone(), ctx: context.WithoutCancel(ctx)})
	return nil
}
