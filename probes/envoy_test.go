package probes_test

import (
	"testing"

	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
)

func TestEnvoyIsToldOnlyWhenAskedFor(t *testing.T) {
	t.Parallel()
	reports := map[string]*servicer.Report{
		"healthy": healthyReport(), "warning": warningReport(), "critical": criticalReport(),
		"starting": startingReport(), "draining": drainingReport(), "unborn": nil,
	}
	headers := map[string]string{"warning": "x-envoy-degraded", "draining": "x-envoy-immediate-health-check-fail"}
	asked := map[string]bool{
		"/health": true, "/health?format=html": true, "/health?format=health": true, "/ready": true, "/readyz": true, "/readyz?verbose": true,
		"/live": false, "/startup": false, "/health/database": false, "/health/badge.svg": false, "/health/config.json": false, "/stranger": false,
	}
	for name, report := range reports {
		for _, wanted := range []bool{true, false} {
			h := newHandler(t, probes.HandlerConfig{Source: newScript(report), Envoy: wanted})
			for path, told := range asked {
				answer := get(t, h, path).Header()
				for _, header := range []string{"x-envoy-degraded", "x-envoy-immediate-health-check-fail"} {
					want := ""
					if wanted && told && headers[name] == header {
						want = "true"
					}
					if got := answer.Get(header); got != want {
						t.Errorf("%s, Envoy %v, %s: %s is %q, want %q", name, wanted, path, header, got, want)
					}
				}
			}
		}
	}
}
