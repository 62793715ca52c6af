package healthclient

import (
	"fmt"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// State is the health of a service at one moment, as the client knows it. It is immutable.
type State struct {
	// Status is the newest status from the server; UNKNOWN if Err is not nil.
	Status healthpb.HealthCheckResponse_ServingStatus
	// Err is a gRPC status: UNAVAILABLE while the server is unreachable or stopping, UNIMPLEMENTED if it has no health
	// service. Nil after a response.
	Err error
	// Time is when the status or error was received.
	Time time.Time
}

// Serving reports whether the status is SERVING and the stream that it was received on is open.
func (s *State) Serving() bool {
	return s.Err == nil && s.Status == healthpb.HealthCheckResponse_SERVING
}

// String returns the status, or the error if there is none.
func (s *State) String() string {
	if s.Err != nil {
		return fmt.Sprintf("%v (%v)", status.Code(s.Err), status.Convert(s.Err).Message())
	}
	return s.Status.String()
}

// same reports whether the states differ at most in time and error text, which changes with each attempt.
func (s *State) same(other *State) bool {
	return other != nil && s.Status == other.Status && status.Code(s.Err) == status.Code(other.Err)
}
