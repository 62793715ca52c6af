package vitals_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitals-go/vitals"
)

func TestOverrideAtEveryEndpoint(t *testing.T) {
	t.Parallel()
	var told *telemetry
	path := filepath.Join(t.TempDir(), "override.json")
	w := serve(t, func(cfg *vitals.Config) {
		told = export(cfg)
		cfg.Prometheus, cfg.OverrideFile = true, path
	})
	w.shows(t, "/metrics", "\nhealth_override 0\n")
	w.broken.Store(true)
	w.answers(t, "/ready", http.StatusServiceUnavailable)
	content := `{"reason": "incident 42", "until": "2100-01-01T00:00:00Z", "optional": ["database"]}`
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	w.answers(t, "/ready", http.StatusOK)
	w.answers(t, "/health/database", http.StatusOK)
	w.shows(t, "/metrics", "\nhealth_override 1\n", `health_status{service="readiness"} 1`, `health_check_state{check="database",state="warning"} 1`)
	w.shows(t, "/health", `"override":{"value":"in_force","status":"warning"`, "(incident 42); optional: database")
	w.shows(t, "/health?format=html", "(incident 42); optional: database")
	if metrics := told.metrics(t); !strings.Contains(metrics, "vitals.override  1") {
		t.Errorf("OpenTelemetry lacks the override:\n%s", metrics)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	w.answers(t, "/ready", http.StatusServiceUnavailable)
	w.shows(t, "/metrics", "\nhealth_override 0\n")
	w.end(t)
}
