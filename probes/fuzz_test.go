package probes_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vitals-go/vitals/probes"
)

func FuzzHandler(f *testing.F) {
	for _, door := range doors() {
		path, query, _ := strings.Cut(door, "?")
		f.Add("GET", path, query, "text/html")
		f.Add("HEAD", path, query, "application/health+json;q=0.1, */*")
	}
	f.Add("POST", "*", "exclude=%zz;&&=", ";;,q=")
	h := newHandler(f, probes.HandlerConfig{Health: newScript(criticalReport()), EventStreams: -1})
	known := []int{200, 404, 405, 414, 503}
	f.Fuzz(func(t *testing.T, method, path, query, accept string) {
		r := &http.Request{
			Method: method, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{"Accept": {accept}},
		}
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

func FuzzReadFile(f *testing.F) {
	f.Add([]byte(`{"status":"healthy","healthy":true,"timestamp":"2026-01-01T00:00:00Z","expires_at":"2026-01-02T00:00:00Z"}`))
	f.Add([]byte(`{"status":"healthy"`))
	f.Fuzz(func(t *testing.T, body []byte) {
		path := filepath.Join(t.TempDir(), "health")
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		status, err := probes.ReadFile(path)
		if err != nil && (status != probes.FileStatus{}) {
			t.Errorf("%+v is returned with %v", status, err)
		}
		if err == nil && !status.ExpiresAt.After(status.Timestamp) {
			t.Errorf("believed %+v", status)
		}
	})
}
