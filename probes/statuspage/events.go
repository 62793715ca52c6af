package statuspage

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/vitals-go/vitals/probes/internal/response"
	"github.com/vitals-go/vitals/servicer"
)

const (
	typeEvents = "text/event-stream"
	// maxStreams bounds the open event streams. Further pages show the state at their load and retry.
	maxStreams = 64
	// eventSpacing is the minimum time between two events, heartbeat the maximum: each side detects a dead connection by it.
	eventSpacing = time.Second
	heartbeat    = 10 * time.Second
	// eventTimeout bounds the writing of one event.
	eventTimeout = 10 * time.Second
)

// ServeEvents serves the stream that keeps an open page up to date: first all parts of the page, then those that change, at
// most one event a second. It ends when the process stops, and after the first event if the parameter once asks for that or
// the ResponseWriter cannot flush. With 64 streams open it responds with 503.
func (p *Page) ServeEvents(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", typeEvents)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Accel-Buffering", "no")
	if r.Method == http.MethodHead {
		return
	}
	s := &stream{page: p, viewer: response.ViewerOf(p.cfg.Details, r), request: r, w: w, control: http.NewResponseController(w)}
	if response.Switch(r.URL.Query(), "once") {
		_ = s.send()
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
		spacing, cancel := context.WithTimeout(ctx, eventSpacing)
		<-spacing.Done()
		cancel()
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
		// A permission may be withdrawn during the stream, but is not granted during it.
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
	// Not every ResponseWriter supports deadlines; those of probes.Server do. Over HTTP/2 a deadline ends the stream also
	// when nothing is written, so none may remain.
	_ = s.control.SetWriteDeadline(time.Now().Add(eventTimeout))
	defer func() { _ = s.control.SetWriteDeadline(time.Time{}) }()
	if _, err := s.w.Write(event); err != nil {
		return err
	}
	return s.control.Flush()
}

// parts are the pieces of the page that change, by the ID of their element, and the order of the rows.
type parts struct {
	Revision uint64            `json:"revision"`
	Now      string            `json:"now"`
	Severity string            `json:"severity"`
	Title    string            `json:"title"`
	Live     string            `json:"live"`
	Rows     []string          `json:"rows"`
	HTML     map[string]string `json:"html"`
}

// partsOf returns the parts of the page for a viewer.
func (p *Page) partsOf(d *rendered, viewer response.Viewer) *parts {
	// The templates that fill the elements of the same ID.
	sections := []string{"verdict", "probes", "maintenance", "process", "requests", "resources", "transitions", "foot"}
	return d.parts[viewer].Get(func() *parts {
		v := newView(p, d.Rendering, viewer)
		made := &parts{
			Revision: v.Revision, Now: response.Time(v.At), Severity: v.Severity, Title: v.Tab, Live: sentence(v.Verdict, v.Summary),
			Rows: []string{}, HTML: make(map[string]string),
		}
		for _, name := range sections {
			made.HTML[name] = string(p.execute(name, v))
		}
		for _, l := range append([]list{v.Services, v.Shadow, v.Breakers}, v.Reference...) {
			made.HTML[l.ID] = string(p.execute("list", l))
		}
		for _, row := range v.Rows {
			made.Rows = append(made.Rows, row.ID)
			made.HTML[row.ID] = string(p.execute("row", row))
		}
		return made
	})
}

// since returns p without the HTML that is the same in old, which may be nil.
func (p *parts) since(old *parts) *parts {
	if old == nil {
		return p
	}
	changed := *p
	changed.HTML = maps.Clone(p.HTML)
	maps.DeleteFunc(changed.HTML, func(id, html string) bool { return old.HTML[id] == html })
	return &changed
}
