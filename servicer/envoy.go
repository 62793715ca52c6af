package servicer

import (
	"context"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"github.com/vitals-go/vitals/checker"
)

// The response headers by which an upstream tells Envoy more than a status says. Envoy looks whether they are there and
// not at their value.
const (
	// EnvoyDegraded asks for load only while there are not enough better hosts. Envoy reads it in answers to active HTTP
	// health checks and, with outlier detection's detect_degraded_hosts, in all responses.
	EnvoyDegraded = "x-envoy-degraded"
	// EnvoyImmediateFail takes the host out at once, until an active health check succeeds again, and out of the reckoning of
	// panic mode. Envoy reads it in failing answers to active HTTP health checks and in all responses, in clusters that
	// have active health checks.
	EnvoyImmediateFail = "x-envoy-immediate-health-check-fail"
)

// EnvoyHeader returns the header that the report asks for, "" if it asks for none: EnvoyImmediateFail from the beginning
// of a drain on, EnvoyDegraded while readiness serves although the overall status is warning or critical.
func (r *Report) EnvoyHeader() string {
	if r.Phase >= Draining {
		return EnvoyImmediateFail
	}
	if r.Overall != checker.Warning && r.Overall != checker.Critical {
		return ""
	}
	if ready, known := r.Lookup(checker.Readiness); known && ready.Status == healthpb.HealthCheckResponse_SERVING {
		return EnvoyDegraded
	}
	return ""
}

// UnaryEnvoyInterceptor is a unary server interceptor that tells Envoy by the headers of ordinary responses when the server drains or
// is degraded, so that it need not wait for its next health check: see Report.EnvoyHeader. It belongs behind UnaryHealthInterceptor.
//
// A proxy before the proxy sees the header too, and takes it for that one's: let the first remove it
// (response_headers_to_remove) where others follow.
func (s *Server) UnaryEnvoyInterceptor(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	before := s.Report().EnvoyHeader()
	if before != "" { // now already: the handler may send its headers early
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

// StreamEnvoyInterceptor is UnaryEnvoyInterceptor for streams, whose headers say how it was when they began.
func (s *Server) StreamEnvoyInterceptor(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	if header := s.Report().EnvoyHeader(); header != "" {
		_ = stream.SetHeader(metadata.Pairs(header, "true"))
	}
	return handler(service, stream)
}
