package main_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// TestTelemetry takes what a server exports, up to what happens when it ends.
func TestTelemetry(t *testing.T) {
	t.Parallel()
	paths := make(chan string, 100)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case paths <- r.URL.Path:
		default:
		}
	}))
	defer collector.Close()
	s := start(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL)
	s.becomes("", serving)
	s.Signal(syscall.SIGTERM)
	if code := s.Wait(patience); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	missing := map[string]bool{"/v1/metrics": true, "/v1/traces": true}
	for len(paths) > 0 {
		delete(missing, <-paths)
	}
	if len(missing) > 0 {
		t.Errorf("nothing came to %v", missing)
	}
}

// TestDeadCollector has a collector that accepts connections and never answers.
func TestDeadCollector(t *testing.T) {
	t.Parallel()
	lis, err := testdeps.Listen(t, testdeps.Port(t))
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close()
	for _, protocol := range []string{"grpc", "http/protobuf"} {
		s := start(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+lis.Addr().String(), "OTEL_EXPORTER_OTLP_PROTOCOL="+protocol,
			"OTEL_EXPORTER_OTLP_TIMEOUT=3600000", "PLUGIN_HEALTH_DRAIN_DELAY=0")
		s.becomes("", serving)
		s.Signal(syscall.SIGTERM)
		if code := s.Wait(patience); code != 0 { // An export that is waited for takes an hour.
			t.Errorf("%s: exit code %d, want 0", protocol, code)
		}
	}
}
