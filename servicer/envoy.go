package servicer

import (
	"context"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"github.com/vitals-go/vitals/checker"
)

// Response headers of an upstream that Envoy evaluates, whatever their value.
const (
	// envoyDegraded makes Envoy prefer other hosts while there are enough healthy ones. Envoy reads it in responses to
	// active HTTP health checks and, with outlier detection's detect_degraded_hosts, in all responses.
	envoyDegraded = "x-envoy-degraded"
	// envoyImmediateFail takes the host out at once until an active health check succeeds again, and excludes it from panic
	// mode. Envoy reads it in failing responses to active HTTP health checks and, in clusters that have active health
	// checks, in all responses.
	envoyImmediateFail = "x-envoy-immediate-health-check-fail"
)

// EnvoyHeader returns the response header for Envoy: x-envoy-immediate-health-check-fail from the beginning of a drain,
// x-envoy-degraded while readiness is SERVING and the overall status is warning or critical, otherwise "".
func (r *Report) EnvoyHeader() string {
	if r.Phase >= Draining {
		return envoyImmediateFail
	}
	if r.Overall != checker.Warning && r.Overall != checker.Critical {
		return ""
	}
	if ready, known := r.Lookup(checker.Readiness); known && ready.Status == healthpb.HealthCheckResponse_SERVING {
		return envoyDegraded
	}
	return ""
}

// UnaryEnvoyInterceptor is a unary server interceptor that adds Report.EnvoyHeader to the headers of responses, so that
// Envoy reacts before its next health check. Chain it after UnaryHealthInterceptor.
//
// A second Envoy in front of the first would take the header for one of the first: let the first remove it
// (response_headers_to_remove).
func (s *Server) UnaryEnvoyInterceptor(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	before := s.Report().EnvoyHeader()
	if before != "" { // before the handler, which may send its headers early
		_ = grpc.SetHeader(ctx, metadata.Pairs(before, "true"))
	}
	response, err := handler(ctx, request)
	if before == "" {
		if after := s.Report().EnvoyHeader(); after != "" {
			_ = grpc.SetHeader(ctx, metadata.Pairs(after, "true")) // too late if the handler has sent them
		}
	}
	return response, err
}

// StreamEnvoyInterceptor is UnaryEnvoyInterceptor for streams; their headers show the status at the start of the
// stream.
func (s *Server) StreamEnvoyInterceptor(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	if header := s.Report().EnvoyHeader(); header != "" {
		_ = stream.SetHeader(metadata.Pairs(header, "true"))
	}
	return handler(service, stream)
}
