package statuspage

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/vitals-go/vitals/probes/internal/response"
	"github.com/vitals-go/vitals/servicer"
)

const (
	typeEvents = "text/event-stream"
	// maxStreams bounds the open event streams. The pages of others show the state at their load and retry.
	maxStreams = 64
	// eventSpacing is the minimum time between two events, heartbeat the maximum: each side detects a dead connection by it.
	eventSpacing = time.Second
	heartbeat    = 10 * time.Second
	// eventTimeout bounds the writing of one event.
	eventTimeout = 10 * time.Second
)

// ServeEvents serves the stream that keeps an open page up to date: first all parts of the page, then those that change, at
// most one event a second. It ends when the process stops. With 64 streams open it responds with 503.
func (p *Page) ServeEvents(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", typeEvents)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Accel-Buffering", "no")
	if r.Method == http.MethodHead {
		return
	}
	select {
	case p.streams <- struct{}{}:
		defer func() { <-p.streams }()
	default:
		header.Set("Retry-After", "10")
		response.SendStatus(w, r, http.StatusServiceUnavailable)
		return
	}
	s := &stream{page: p, viewer: response.ViewerOf(p.cfg.Details, r), request: r, w: w, control: http.NewResponseController(w)}
	s.run(r.Context())
}

// stream is the connection to one page.
type stream struct {
	page    *Page
	viewer  response.Viewer
	request *http.Request
	w       http.ResponseWriter
	control *http.ResponseController
	sent    *parts
}

func (s *stream) run(ctx context.Context) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for ctx.Err() == nil {
		changed := s.page.cfg.Source.Changed()
		if report := s.send(); report == nil || report.Phase == servicer.Stopped {
			return
		}
		pause(ctx, eventSpacing)
		if !s.wait(ctx, changed, beat.C) {
			return
		}
	}
}

// wait sends heartbeats until changed is closed. It reports false if ctx or the connection ends first.
func (s *stream) wait(ctx context.Context, changed <-chan struct{}, beat <-chan time.Time) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-changed:
			return true
		case <-beat:
			if s.write([]byte("event: heartbeat\ndata: {}\n\n")) != nil {
				return false
			}
		}
	}
}

// send sends what has changed since the last event. It returns the report that it has sent, nil if the connection is gone.
func (s *stream) send() *servicer.Report {
	if s.viewer == response.Trusted && s.sent != nil {
		// Rights can be withdrawn while the stream is open. They return with a new stream only.
		s.viewer = response.ViewerOf(s.page.cfg.Details, s.request)
	}
	d := s.page.rendered()
	current := s.page.partsOf(d, s.viewer)
	data := response.JSON(current.since(s.sent))
	s.sent = current
	if s.write(slices.Concat([]byte("data: "), data, []byte("\n"))) != nil {
		return nil
	}
	return d.Report
}

// write sends one event and flushes it.
func (s *stream) write(event []byte) error {
	// Not every ResponseWriter supports deadlines; those of probes.Server do.
	_ = s.control.SetWriteDeadline(time.Now().Add(eventTimeout))
	if _, err := s.w.Write(event); err != nil {
		return err
	}
	return s.control.Flush()
}

// pause waits for d, or until ctx is done.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
