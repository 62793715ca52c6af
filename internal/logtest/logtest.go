// Package logtest keeps what others write while a test reads it: a log of goroutines or processes that still run.
// A bytes.Buffer is no such log, not even behind a logger that takes turns, because the reader takes none.
package logtest

import (
	"bytes"
	"sync"
)

// Log is an io.Writer that remembers everything. The zero value is empty; any number may write and read at once.
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

// String returns what has been written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
