// Package asynclog writes log records in a goroutine, so that a handler that blocks does not block its caller.
package asynclog

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// MaxPending is the number of records that wait for a handler that blocks. Further ones are dropped and counted.
const MaxPending = 1024

// Logger queues records and writes them in order, one at a time. Its goroutine starts with a record and ends when the
// queue is empty, so an idle Logger has none. A handler that panics or ends its goroutine loses one record. The next
// record that is written has the attribute dropped, the number of records lost before it. Create it with New.
type Logger struct {
	log *slog.Logger

	mu      sync.Mutex
	pending []func() (slog.Level, string, []slog.Attr)
	dropped int
	idle    chan struct{} // closed when the goroutine has ended; nil without one
}

// New returns a Logger that writes to log; nil discards.
func New(log *slog.Logger) *Logger {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Logger{log: log}
}

// Log queues a record. It never blocks and calls no code of the handler.
func (l *Logger) Log(level slog.Level, message string, attrs ...slog.Attr) {
	record := func() (slog.Level, string, []slog.Attr) { return level, message, attrs }
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending) >= MaxPending {
		l.dropped++
		return
	}
	l.pending = append(l.pending, record)
	if l.idle == nil {
		l.idle = make(chan struct{})
		go l.write()
	}
}

// Flush waits until all records have been written, at most for timeout. It reports whether they have.
func (l *Logger) Flush(timeout time.Duration) bool {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	for {
		l.mu.Lock()
		idle := l.idle
		l.mu.Unlock()
		if idle == nil {
			return true
		}
		select {
		case <-idle:
		case <-deadline.C:
			return false
		}
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

// writeNext writes one record and reports whether there may be more. The goroutine has ended once it returns false.
func (l *Logger) writeNext() (more bool) {
	l.mu.Lock()
	if len(l.pending) == 0 {
		close(l.idle)
		l.idle, l.pending = nil, nil
		l.mu.Unlock()
		return false
	}
	record, lost := l.pending[0], l.dropped
	l.pending[0], l.pending = nil, l.pending[1:]
	l.mu.Unlock()

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
	level, message, attrs := record()
	if !l.log.Enabled(context.Background(), level) {
		lost, written = 0, true
		return true
	}
	if lost > 0 {
		attrs = append(slices.Clip(attrs), slog.Int("dropped", lost))
	}
	l.log.LogAttrs(context.Background(), level, message, attrs...)
	written = true
	return true
}
