package probes_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/vitals-go/vitals/probes"
)

func FuzzHandler(f *testing.F) {
	for _, endpoint := range endpoints() {
		path, query, _ := strings.Cut(endpoint, "?")
		f.Add("GET", path, query, "text/html")
		f.Add("HEAD", path, query, "application/health+json;q=0.1, */*")
	}
	f.Add("POST", "*", "exclude=%zz;&&=", ";;,q=")
	f.Add("GET", "/", "", "text/html")
	h := newHandler(f, probes.HandlerConfig{Source: newScript(criticalReport())})
	known := []int{200, 302, 404, 405, 414, 503}
	f.Fuzz(func(t *testing.T, method, path, query, accept string) {
		r := (&http.Request{
			Method: method, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{"Accept": {accept}},
		}).WithContext(canceled()) // ends an event stream at once
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if !slices.Contains(known, w.Code) {
			t.Errorf("status %d", w.Code)
		}
		if strings.Contains(w.Body.String(), secret) {
			t.Error("the answer shows the secret")
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("headers %v", w.Header())
		}
	})
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
