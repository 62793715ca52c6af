package asynclog

import (
	"log/slog"
	"slices"
	"time"
)

// maxHold is how long a record of a deferred Logger waits for Take.
const maxHold = time.Second

// Deferred returns a Logger whose records wait in l until Take, at most for maxHold: the component that calls Take adds to
// them what only it knows, and logs them with LogHeld.
func (l *Logger) Deferred() *Logger { return &Logger{handler: l.handler, to: l} }

// Held is a record that waits.
type Held struct{ record }

// Attr returns the value of an attribute, the zero Value if there is none.
func (h Held) Attr(key string) slog.Value {
	for _, attr := range h.attrs {
		if attr.Key == key {
			return attr.Value
		}
	}
	return slog.Value{}
}

// With returns h with another message, at least that level, and attrs in front, which replace those of the same keys.
func (h Held) With(level slog.Level, message string, attrs ...slog.Attr) Held {
	h.Message, h.Level = message, max(h.Level, level)
	for _, attr := range h.attrs {
		if !slices.ContainsFunc(attrs, func(a slog.Attr) bool { return a.Key == attr.Key }) {
			attrs = append(attrs, attr)
		}
	}
	h.attrs = attrs
	return h
}

func (l *Logger) hold(r record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = append(l.held, Held{r})
	if l.holding == nil {
		l.holding = time.AfterFunc(maxHold, l.release)
	} else if len(l.held) == 1 {
		l.holding.Reset(maxHold)
	}
}

// Take returns the records that wait, oldest first, but for those that ready leaves: it is called with a record and those
// after it, under a lock. The caller logs them.
func (l *Logger) Take(ready func([]Held) bool) (taken []Held) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var left []Held
	for i, h := range l.held {
		if ready(l.held[i:]) {
			taken = append(taken, h)
		} else {
			left = append(left, h)
		}
	}
	l.held = left
	if l.holding != nil && len(left) == 0 {
		l.holding.Stop()
	}
	return taken
}

// LogHeld queues a record.
func (l *Logger) LogHeld(h Held) { l.add(h.record) }

// release queues the records that wait, as they are.
func (l *Logger) release() {
	for _, h := range l.Take(func([]Held) bool { return true }) {
		l.LogHeld(h)
	}
}
