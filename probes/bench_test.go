package probes_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
)

// sink is a ResponseWriter that costs nothing.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(int)             {}
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }

func TestProbesDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for name, report := range map[string]*servicer.Report{"healthy": healthyReport(), "critical": criticalReport()} {
		h := newHandler(t, probes.HandlerConfig{Source: newScript(report)})
		for _, path := range []string{"/health", "/live", "/ready", "/startup"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			r.Header.Set("Accept", "*/*")
			w := &sink{make(http.Header)}
			// The documents are made again once a second, hence the fraction.
			if n := testing.AllocsPerRun(10_000, func() { h.ServeHTTP(w, r) }); n > 0.5 {
				t.Errorf("%s: GET %s allocates %v times, want 0", name, path, n)
			}
		}
	}
}

// TestDocumentsAreRenderedOncePerReport would fail if every request rendered: it counts what rendering allocates.
func TestDocumentsAreRenderedOncePerReport(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	h := newHandler(t, probes.HandlerConfig{Source: newScript(criticalReport())})
	for _, target := range []string{"/health?format=html", "/health?format=health", "/health/badge.svg"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
		w := &sink{make(http.Header)}
		if n := testing.AllocsPerRun(2000, func() { h.ServeHTTP(w, r) }); n > 12 {
			t.Errorf("GET %s allocates %v times although nothing has changed", target, n)
		}
	}
}

func benchmarkPath(b *testing.B, target, accept string) {
	h := newHandler(b, probes.HandlerConfig{Source: newScript(criticalReport())})
	r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, target, nil)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	w := &sink{make(http.Header)}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		h.ServeHTTP(w, r)
	}
}

func BenchmarkHealth(b *testing.B)          { benchmarkPath(b, "/health", "*/*") }
func BenchmarkHealthJSONDraft(b *testing.B) { benchmarkPath(b, "/health", "application/health+json") }
func BenchmarkHealthPage(b *testing.B)      { benchmarkPath(b, "/health", "text/html") }
func BenchmarkLive(b *testing.B)            { benchmarkPath(b, "/live", "*/*") }
func BenchmarkReady(b *testing.B)           { benchmarkPath(b, "/ready", "*/*") }
func BenchmarkReadyVerbose(b *testing.B)    { benchmarkPath(b, "/ready?verbose", "*/*") }
func BenchmarkHealthOfCheck(b *testing.B)   { benchmarkPath(b, "/health/database", "*/*") }

func BenchmarkNewReport(b *testing.B) {
	for _, path := range []string{"/health", "/ready", "/health?format=html"} {
		b.Run(path, func(b *testing.B) {
			source := newScript(criticalReport())
			h := newHandler(b, probes.HandlerConfig{Source: source})
			r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, path, nil)
			w := &sink{make(http.Header)}
			b.ReportAllocs()
			for b.Loop() {
				source.publish(criticalReport())
				h.ServeHTTP(w, r)
			}
		})
	}
}
