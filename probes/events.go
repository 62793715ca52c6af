package probes

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
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
	ctx, cancel := context.WithCancel(r.Context())
	reports := make(chan *servicer.Report, 1)
	var following sync.WaitGroup
	following.Go(func() { follow(ctx, h.health, reports) })
	defer following.Wait()
	defer cancel()
	s := &stream{handler: h, viewer: a, request: r, w: w, control: http.NewResponseController(w)}
	s.run(ctx, reports)
}

// follow keeps the newest edition in reports, which holds one. It is the only sender.
func follow(ctx context.Context, source servicer.ReportSource, reports chan *servicer.Report) {
	for report := range servicer.Changes(ctx, source) {
		select {
		case <-reports: // missed
		default:
		}
		reports <- report
	}
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

func (s *stream) run(ctx context.Context, reports <-chan *servicer.Report) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		var err error
		last := false
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			err = s.write([]byte("event: beat\ndata: {}\n\n"))
		case report := <-reports:
			err = s.send()
			last = report != nil && report.Phase == servicer.Stopped
			pause(ctx, eventSpacing)
		}
		if err != nil || last {
			return
		}
	}
}

// send sends what has changed since the last event.
func (s *stream) send() error {
	if s.viewer == trusted && s.sent != nil {
		// What allowed it may have been withdrawn; who was refused once has to ask again.
		s.viewer = s.handler.viewer(s.request)
	}
	fresh := s.handler.partsOf(s.handler.rendered(), s.viewer)
	data := encode(fresh.changed(s.sent))
	s.sent = fresh
	return s.write(slices.Concat([]byte("data: "), data, []byte("\n")))
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
