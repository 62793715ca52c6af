package servicer

import (
	"context"
	"log/slog"
)

// maxPending bounds the lines that wait for a log handler that hangs.
const maxPending = 1000

// line is one thing to log.
type line struct {
	level slog.Level
	text  string
	attrs []slog.Attr
}

// jot adds lines to what is to be logged. It is called under mu; the writing happens elsewhere, without it.
func (s *Servicer) jot(lines ...line) {
	fit := min(len(lines), maxPending-len(s.pending))
	s.pending = append(s.pending, lines[:fit]...)
	s.dropped += len(lines) - fit
}

// deliver gets pending lines written: by the logbook while Run runs, so that a log that hangs cannot hold up the
// judge, else here.
func (s *Servicer) deliver() {
	if !s.running.Load() {
		s.flush()
		return
	}
	select {
	case s.loglines <- struct{}{}:
	default:
	}
}

// logbook writes what is pending until ctx ends, and what is left then.
func (s *Servicer) logbook(ctx context.Context) {
	for {
		s.flush()
		select {
		case <-s.loglines:
		case <-ctx.Done():
			s.flush()
			return
		}
	}
}

// flush writes what is pending, in order. If another goroutine is at it already, that one also writes what has been
// added meanwhile.
func (s *Servicer) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.logging {
		return
	}
	s.logging = true
	for len(s.pending) > 0 {
		lines, dropped := s.pending, s.dropped
		s.pending, s.dropped = nil, 0
		s.mu.Unlock()
		s.write(lines, dropped)
		s.mu.Lock()
	}
	s.logging = false
}

func (s *Servicer) write(lines []line, dropped int) {
	// A log handler that panics must not end the judge.
	defer func() { _ = recover() }()
	for _, l := range lines {
		s.log.LogAttrs(context.Background(), l.level, l.text, l.attrs...)
	}
	if dropped > 0 {
		s.log.LogAttrs(context.Background(), slog.LevelWarn, "log was too slow: lines are missing", slog.Int("lines", dropped))
	}
}
