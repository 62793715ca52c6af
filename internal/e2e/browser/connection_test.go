package browser_test

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/vitals-go/vitals/probes"
)

// watchAlarms makes the page count how often it showed the alarm.
const watchAlarms = `window.alarms = 0; void new MutationObserver(() => { if (!document.getElementById("lost").hidden) alarms++; })
	.observe(document.getElementById("lost"), {attributes: true})`

// behind serves the page of a report inside a middleware.
func behind(t *testing.T, s *script, middleware func(http.Handler) http.Handler) string {
	t.Helper()
	lis, addr := listen(t)
	web, err := probes.NewServer(probes.ServerConfig{Handler: middleware(newHandler(t, s)), Listener: lis})
	if err != nil {
		t.Fatal(err)
	}
	background(t, web.Run)
	return addr
}

// The end of a stream is an outage only if a new one cannot be had.
func TestEndsOfStreamsAreNoAlarm(t *testing.T) {
	t.Parallel()
	for name, middleware := range map[string]func(http.Handler) http.Handler{
		"cut after a second": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ctx, cancel := context.WithTimeout(r.Context(), time.Second)
				defer cancel()
				next.ServeHTTP(w, r.WithContext(ctx))
			})
		},
		"no Flush": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(struct{ http.ResponseWriter }{w}, r) })
		},
		"buffered": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b := &buffered{ResponseWriter: w}
				next.ServeHTTP(b, r)
				_, _ = w.Write(b.body.Bytes())
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, tab := newScript(t, healthyReport()), newTab(t)
			tab.open("http://" + behind(t, s, middleware) + "/health")
			eval[any](tab, watchAlarms)
			tab.until(`document.getElementById("link").matches(".live")`)
			s.publish(criticalReport())
			tab.until(verdict("Not serving"))
			s.publish(healthyReport())
			tab.until(verdict("Serving"))
			if n := eval[int](tab, "alarms"); n != 0 {
				t.Errorf("%d alarms while the server was there", n)
			}
		})
	}
}

// buffered is the ResponseWriter of a middleware that sends nothing before the handler has returned.
type buffered struct {
	http.ResponseWriter
	body bytes.Buffer
}

func (b *buffered) Write(p []byte) (int, error) { return b.body.Write(p) }
func (b *buffered) Flush()                      {}

// A browser has six HTTP/1.1 connections for a host.
func TestEightPagesOfOneHostStayLive(t *testing.T) {
	t.Parallel()
	s := newScript(t, healthyReport())
	var tabs []*tab
	for range 8 {
		tab := newTab(t)
		tab.live(s.addr)
		tabs = append(tabs, tab)
	}
	s.publish(criticalReport())
	for _, tab := range tabs {
		tab.until(verdict("Not serving"))
	}
}

// A hidden page lets go of its stream, and still asks from time to time: its title and its icon are seen.
func TestHiddenPageLetsGo(t *testing.T) {
	t.Parallel()
	s := newScript(t, healthyReport())
	streams := make(chan string, 64)
	addr := behind(t, s, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept") == "text/event-stream" {
				streams <- "begins: " + r.URL.RawQuery
				defer func() { streams <- "ends: " + r.URL.RawQuery }()
			}
			next.ServeHTTP(w, r)
		})
	})
	expect := func(want string) {
		t.Helper()
		select {
		case got := <-streams:
			if got != want {
				t.Fatalf("a stream %s, want %s", got, want)
			}
		case <-time.After(patience):
			t.Fatalf("no stream %s", want)
		}
	}
	tab := newTab(t)
	tab.live(addr)
	expect("begins: ")
	eval[any](tab, `window.turn = (hidden) => {
		Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
		document.dispatchEvent(new Event("visibilitychange"));
	}; turn(true)`)
	seen := map[string]bool{}
	for range 3 { // the end of the one and the beginning of the other come in any order
		select {
		case got := <-streams:
			seen[got] = true
		case <-time.After(patience):
			t.Fatalf("only %v", seen)
		}
	}
	if !seen["ends: "] || !seen["begins: once"] || !seen["ends: once"] {
		t.Errorf("a hidden page: %v", seen)
	}
	eval[any](tab, "turn(false)")
	expect("begins: ")
}
