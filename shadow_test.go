package vitals_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/vitals-go/vitals"
)

func TestShadowAtEveryEndpoint(t *testing.T) {
	t.Parallel()
	var told *telemetry
	w := serve(t, func(cfg *vitals.Config) {
		told = export(cfg)
		cfg.Prometheus = true
		cfg.Dependencies[0].Shadow = true
	})
	w.answers(t, "/ready", http.StatusOK)
	w.broken.Store(true)
	w.shows(t, "/metrics", `health_shadow{service="readiness"} 1`, `health_status{service="readiness"} 1`)
	w.answers(t, "/ready", http.StatusOK)
	w.shows(t, "/health", `"shadow":[{"name":""`, `"subject":"shadow/readiness"`)
	w.shows(t, "/health/database", `"optional":true,"shadow":true`)
	w.shows(t, "/health?format=html", `<span class="tag">shadow</span>`, "shadow/readiness")
	if metrics := told.metrics(t); !strings.Contains(metrics, "vitals.shadow vitals.service=readiness 1") {
		t.Errorf("OpenTelemetry lacks the shadow:\n%s", metrics)
	}
	w.end(t)
}
