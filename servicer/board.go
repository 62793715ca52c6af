package servicer

import (
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/board"
)

type servingStatus = healthpb.HealthCheckResponse_ServingStatus

func newBoard() *board.Board[servingStatus] {
	b := board.New(board.Config[servingStatus]{
		Serving:    healthpb.HealthCheckResponse_SERVING,
		NotServing: healthpb.HealthCheckResponse_NOT_SERVING,
		Unknown:    healthpb.HealthCheckResponse_SERVICE_UNKNOWN,
		Exempt:     checker.Liveness,
	})
	// The overall name is known from birth, as in grpc-go: with nobody to judge it, it serves.
	b.Set("", healthpb.HealthCheckResponse_SERVING)
	return b
}
