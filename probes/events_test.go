package probes_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
)

// listener is a page that listens; it is read only while the handler is blocked.
type listener struct {
	header http.Header
	body   bytes.Buffer
	code   int
}

func (l *listener) Header() http.Header         { return l.header }
func (l *listener) WriteHeader(code int)        { l.code = code }
func (l *listener) Write(p []byte) (int, error) { return l.body.Write(p) }
func (l *listener) Flush()                      {}

type event struct {
	Revision uint64
	Severity string
	Title    string
	Rows     []string
	HTML     map[string]string
}

// events returns what has been sent since the last call.
func (l *listener) events(t testing.TB) []event {
	t.Helper()
	var events []event
	for block := range strings.SplitSeq(l.body.String(), "\n\n") {
		data, ok := strings.CutPrefix(block, "data: ")
		if !ok {
			continue
		}
		var e event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatalf("%v in %q", err, data)
		}
		events = append(events, e)
	}
	l.body.Reset()
	return events
}

// listen opens an event stream; stop ends it and waits.
func listen(t testing.TB, h http.Handler) (l *listener, stop func()) {
	t.Helper()
	l = &listener{header: make(http.Header), code: 200}
	ctx, cancel := context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/health", nil)
	r.Header.Set("Accept", "text/event-stream")
	var wg sync.WaitGroup
	wg.Go(func() { h.ServeHTTP(l, r) })
	return l, func() { cancel(); wg.Wait() }
}

func TestStreamSendsEverythingThenChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newScript(healthyReport())
		h := newHandler(t, probes.HandlerConfig{Source: source, Title: "shop"})
		page, stop := listen(t, h)
		defer stop()
		synctest.Wait()
		first := page.events(t)
		if len(first) != 1 || len(first[0].Rows) != 2 || len(first[0].HTML) != 2+14 || first[0].Severity != "healthy" {
			t.Fatalf("first: %+v", first)
		}
		if got := page.header.Get("Content-Type"); got != "text/event-stream" {
			t.Errorf("Content-Type %q", got)
		}
		r := criticalReport()
		r.Checks[0], r.Checks[1] = source.Report().Checks[0], source.Report().Checks[1]
		source.publish(r)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		second := page.events(t)
		if len(second) != 1 || second[0].Severity != "critical" || second[0].Title != "Not serving · shop" {
			t.Fatalf("second: %+v", second)
		}
		database := second[0].Rows[0]
		if !strings.Contains(second[0].HTML[database], "is unavailable") {
			t.Errorf("the failing check %s was not sent: %v", database, second[0].HTML)
		}
		for _, id := range second[0].Rows[1:] {
			if _, sent := second[0].HTML[id]; sent {
				t.Errorf("%s has not changed and was sent", id)
			}
		}
	})
}

func TestStreamIsBoundedInRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newScript(healthyReport())
		page, stop := listen(t, newHandler(t, probes.HandlerConfig{Source: source}))
		defer stop()
		for range 500 {
			source.publish(healthyReport())
			time.Sleep(10 * time.Millisecond)
		}
		source.publish(criticalReport())
		time.Sleep(time.Second)
		synctest.Wait()
		events := page.events(t)
		if len(events) < 5 || len(events) > 8 {
			t.Errorf("%d events in six seconds, want about one a second", len(events))
		}
		if last := events[len(events)-1]; last.Revision != source.Report().Revision || last.Severity != "critical" {
			t.Errorf("the newest edition was not sent, but %d of %d", last.Revision, source.Report().Revision)
		}
	})
}

func TestStreamSendsHeartbeats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		page, stop := listen(t, newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())}))
		defer stop()
		time.Sleep(35 * time.Second)
		synctest.Wait()
		if got := strings.Count(page.body.String(), "event: heartbeat"); got != 3 {
			t.Errorf("%d heartbeats in 35 s, want 3", got)
		}
	})
}

// A page that polls gets all parts at once, also while there is no room for another stream.
func TestOnceSendsOneEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())})
		for range 64 {
			_, stop := listen(t, h)
			defer stop()
		}
		synctest.Wait()
		w := get(t, h, "/health?once", "Accept", "text/event-stream")
		page := &listener{body: *w.Body}
		if events := page.events(t); w.Code != http.StatusOK || len(events) != 1 || len(events[0].HTML) != 2+14 {
			t.Errorf("status %d with the events %v, want one", w.Code, events)
		}
	})
}

// unflushed is the ResponseWriter of a middleware that hides Flush.
type unflushed struct{ http.ResponseWriter }

func TestStreamEndsAfterOneEventWithoutFlush(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/health", nil)
	r.Header.Set("Accept", "text/event-stream")
	newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())}).ServeHTTP(unflushed{w}, r)
	page := &listener{body: *w.Body}
	if events := page.events(t); w.Code != http.StatusOK || len(events) != 1 {
		t.Errorf("status %d with the events %v, want one", w.Code, events)
	}
}

func TestStreamsAreBoundedInNumber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())})
		var stops []func()
		for range 64 {
			_, stop := listen(t, h)
			stops = append(stops, stop)
		}
		synctest.Wait()
		rejected, stopRejected := listen(t, h)
		synctest.Wait()
		if rejected.code != http.StatusServiceUnavailable || rejected.header.Get("Retry-After") == "" {
			t.Errorf("stream 65: status %d", rejected.code)
		}
		stopRejected()
		stops[0]()
		next, stopNext := listen(t, h)
		synctest.Wait()
		if next.code != http.StatusOK || len(next.events(t)) != 1 {
			t.Errorf("after the end of another stream: status %d", next.code)
		}
		for _, stop := range append(stops[1:], stopNext) {
			stop()
		}
	})
}

func TestStreamEndsWhenTheProcessStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newScript(healthyReport())
		h := newHandler(t, probes.HandlerConfig{Source: source})
		page := &listener{header: make(http.Header)}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/health", nil)
		r.Header.Set("Accept", "text/event-stream")
		var wg sync.WaitGroup
		wg.Go(func() { h.ServeHTTP(page, r) })
		synctest.Wait()
		stopped := drainingReport()
		stopped.Phase = servicer.Stopped
		source.publish(stopped)
		wg.Wait()
		if events := page.events(t); events[len(events)-1].Severity != "away" {
			t.Errorf("last event %+v", events[len(events)-1])
		}
	})
}

func TestRunKeepsHistory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newScript(healthyReport())
		h := newHandler(t, probes.HandlerConfig{Source: source})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := h.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		for range 10 {
			time.Sleep(time.Second)
			source.publish(healthyReport())
		}
		synctest.Wait()
		cancel()
		wg.Wait()
		if page := get(t, h, "/health?format=html").Body.String(); !strings.Contains(page, "last 11 runs: 11 healthy") {
			t.Error("the page does not remember what nobody looked at")
		}
	})
}
