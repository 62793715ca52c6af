package promvitals_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/vitals-go/vitals/probes/promvitals"
)

// compressing is the ResponseWriter of a middleware that compresses whatever is written, as that of Echo does.
type compressing struct {
	http.ResponseWriter
	body io.Writer
}

func (c compressing) Write(p []byte) (int, error) {
	c.Header().Set("Content-Encoding", "gzip")
	return c.body.Write(p)
}

func TestPageIsCompressedOnce(t *testing.T) {
	t.Parallel()
	page, err := promvitals.Handler(collector(t, promvitals.Config{Source: staticSource{report()}}))
	if err != nil {
		t.Fatal(err)
	}
	for name, handler := range map[string]http.Handler{
		"by the handler": page,
		"by middleware": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			compressed := gzip.NewWriter(w)
			page.ServeHTTP(compressing{w, compressed}, r)
			_ = compressed.Close()
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			web := httptest.NewServer(handler)
			defer web.Close()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept-Encoding", "gzip") // keeps net/http from decompressing
			resp, err := web.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got := resp.Header["Content-Encoding"]; len(got) != 1 || got[0] != "gzip" {
				t.Fatalf("Content-Encoding %q", got)
			}
			plain, err := gzip.NewReader(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(plain)
			if err != nil || !strings.Contains(string(body), "health_status{") {
				t.Errorf("decompressed once: %v in %.60q", err, body)
			}
		})
	}
}

// An application's Go collector, with more metrics than the default one, stands on the same page.
func TestHandlerTakesTheApplicationsGoCollector(t *testing.T) {
	t.Parallel()
	orders := prometheus.NewCounter(prometheus.CounterOpts{Name: "shop_orders_total", Help: "Orders."})
	page, err := promvitals.Handler(
		collector(t, promvitals.Config{Source: staticSource{report()}}), orders,
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsGC)),
	)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	page.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	for _, name := range []string{"health_status{", "shop_orders_total 0", "go_goroutines ", "go_gc_heap_goal_bytes ", "process_start_time_seconds "} {
		if !strings.Contains(w.Body.String(), "\n"+name) {
			t.Errorf("%s is not on the page", name)
		}
	}
	if _, err := promvitals.Handler(orders, orders); err == nil || !strings.Contains(err.Error(), "collector 1") {
		t.Errorf("the same collector twice: %v", err)
	}
	if _, err := promvitals.New(promvitals.Config{Source: staticSource{report()}, Collectors: []prometheus.Collector{orders}}); err == nil {
		t.Error("New accepted collectors")
	}
	if _, err := promvitals.Handler(nil); err == nil {
		t.Error("nil was accepted")
	}
}
