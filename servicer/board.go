package servicer

import (
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/statusmap"
)

type servingStatus = healthpb.HealthCheckResponse_ServingStatus

func newBoard() *statusmap.Map[servingStatus] {
	b := statusmap.New(statusmap.Config[servingStatus]{
		Serving:    healthpb.HealthCheckResponse_SERVING,
		NotServing: healthpb.HealthCheckResponse_NOT_SERVING,
		Unknown:    healthpb.HealthCheckResponse_SERVICE_UNKNOWN,
		Exempt:     checker.Liveness,
	})
	// The overall name is known from birth, as in grpc-go: with nobody to judge it, it serves.
	b.Set("", healthpb.HealthCheckResponse_SERVING)
	return b
}
