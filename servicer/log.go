package servicer

import "log/slog"

// line is one record to log.
type line struct {
	level slog.Level
	text  string
	attrs []slog.Attr
}

// jot queues lines for the log. It never blocks, so it may be called under mu.
func (s *Server) jot(lines ...line) {
	for _, l := range lines {
		s.log.Log(l.level, l.text, l.attrs...)
	}
}
