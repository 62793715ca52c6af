package probes

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/vitals-go/vitals/servicer"
)

const (
	// eventSpacing is the least time between two events, heartbeat the greatest: by its absence the page knows that
	// the connection is dead, and by sending it we know that the page has gone.
	eventSpacing = time.Second
	heartbeat    = 10 * time.Second
	// eventTimeout bounds the writing of one event to a page that does not read.
	eventTimeout = 10 * time.Second
)

func (h *Handler) logError(text string, err error) {
	h.log.LogAttrs(context.Background(), slog.LevelError, text, slog.String("error", err.Error()))
}

// serveEvents keeps a page up to date until its reader or the process goes: first everything, then what changes.
func (h *Handler) serveEvents(w http.ResponseWriter, r *http.Request, a viewer) {
	header := w.Header()
	header.Set("Content-Type", typeEvents)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Accel-Buffering", "no")
	if r.Method == http.MethodHead {
		return
	}
	select {
	case h.streams <- struct{}{}:
		defer func() { <-h.streams }()
	default:
		header.Set("Retry-After", "10")
		fail(w, r, http.StatusServiceUnavailable)
		return
	}
	s := &stream{handler: h, viewer: a, request: r, w: w, control: http.NewResponseController(w)}
	s.run(r.Context())
}

// stream is the connection to one page.
type stream struct {
	handler *Handler
	viewer  viewer
	request *http.Request
	w       http.ResponseWriter
	control *http.ResponseController
	sent    *parts
}

func (s *stream) run(ctx context.Context) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for ctx.Err() == nil {
		changed := s.handler.health.Changed()
		if report := s.send(); report == nil || report.Phase == servicer.Stopped {
			return
		}
		pause(ctx, eventSpacing)
		if !s.wait(ctx, changed, beat.C) {
			return
		}
	}
}

// wait sends heartbeats until changed is closed. It reports false if ctx or the connection ends before.
func (s *stream) wait(ctx context.Context, changed <-chan struct{}, beat <-chan time.Time) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-changed:
			return true
		case <-beat:
			if s.write([]byte("event: beat\ndata: {}\n\n")) != nil {
				return false
			}
		}
	}
}

// send sends what has changed since the last event. It returns the report that it has sent, nil if it failed.
func (s *stream) send() *servicer.Report {
	if s.viewer == trusted && s.sent != nil {
		// What allowed it may have been withdrawn; who was refused once has to ask again.
		s.viewer = s.handler.viewer(s.request)
	}
	e := s.handler.rendered()
	fresh := s.handler.partsOf(e, s.viewer)
	data := encode(fresh.changed(s.sent))
	s.sent = fresh
	if s.write(slices.Concat([]byte("data: "), data, []byte("\n"))) != nil {
		return nil
	}
	return e.report
}

// write sends one event and waits until it is on its way.
func (s *stream) write(event []byte) error {
	// Not every ResponseWriter knows deadlines; those of a Server do.
	_ = s.control.SetWriteDeadline(time.Now().Add(eventTimeout))
	if _, err := s.w.Write(event); err != nil {
		return err
	}
	return s.control.Flush()
}

// pause waits, or not if ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
