package probes_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
)

// TestHealthOfCheckAgreesWithItsName compares /health/<check> with Check of the same name, unless names are hidden.
func TestHealthOfCheckAgreesWithItsName(t *testing.T) {
	t.Parallel()
	for hidden, want := range map[bool]int{false: 503, true: 200} {
		synctest.Test(t, func(t *testing.T) {
			checks, err := checker.New(checker.Config{Checks: []checker.Check{
				{Name: "cache", Run: func(context.Context) error { return nil }},
			}})
			if err != nil {
				t.Fatal(err)
			}
			health, err := servicer.New(servicer.Config{Checker: checks, HideChecks: hidden})
			if err != nil {
				t.Fatal(err)
			}
			h := newHandler(t, probes.HandlerConfig{Source: health})
			ctx, stop := context.WithCancel(t.Context())
			go func() { _ = checks.Run(ctx) }()
			go func() { _ = health.Run(ctx) }()
			synctest.Wait()
			same := func(what string, want int) {
				if got := get(t, h, "/health/cache").Code; got != want {
					t.Errorf("%s, names hidden %v: GET /health/cache = %d, want %d", what, hidden, got, want)
				}
			}
			same("healthy", 200)
			health.Shutdown()
			same("Shutdown", want)
			health.Resume()
			same("Resume", 200)
			if !hidden {
				health.SetServingStatus("cache", healthpb.HealthCheckResponse_NOT_SERVING)
				same("manual status", 503)
				health.SetServingStatus("cache", healthpb.HealthCheckResponse_SERVING)
				if err := health.SetMaintenance("cache", "planned", time.Minute); err != nil {
					t.Error(err)
				}
				same("maintenance", 503)
				health.EndMaintenance("cache")
				same("the end of maintenance", 200)
			}
			stop()
			synctest.Wait()
		})
	}
}
