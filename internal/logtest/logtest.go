// Package logtest collects log output that a test reads while goroutines or processes still write it.
package logtest

import (
	"bytes"
	"log/slog"
	"sync"
	"time"

	"github.com/vitals-go/vitals/internal/asynclog"
)

// Log is a bytes.Buffer that is safe for concurrent use. The zero value is empty.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer. It never fails.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// Logger returns a logger for a Config, and a function that waits until the records of a component that uses it are in l.
func (l *Log) Logger() (log *slog.Logger, flush func()) {
	queue := asynclog.New(slog.New(slog.NewTextHandler(l, nil)))
	return slog.New(queue.Handler()), func() { queue.Flush(time.Minute) }
}

// String returns everything written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
