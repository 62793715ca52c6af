package healthclient

import (
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// State is what a client knows about a service at one moment. It is immutable.
type State struct {
	// Status is the server's newest word; UNKNOWN while there is none, and then Err says why.
	Status healthpb.HealthCheckResponse_ServingStatus
	// Err is a gRPC status: UNAVAILABLE while the server cannot be reached or is ending, UNIMPLEMENTED from a server
	// without a health service. Nil when the server has answered.
	Err error
	// Time is when the client learnt it.
	Time time.Time
}

// Serving reports whether the server has said that it serves, and has not gone since.
func (s *State) Serving() bool {
	return s.Err == nil && s.Status == healthpb.HealthCheckResponse_SERVING
}

// String returns the status, or why there is none.
func (s *State) String() string {
	if s.Err != nil {
		return fmt.Sprintf("%v (%v)", status.Code(s.Err), status.Convert(s.Err).Message())
	}
	return s.Status.String()
}

// same reports whether the two say the same. Texts of errors differ from one attempt to the next and are no news.
func (s *State) same(other *State) bool {
	return other != nil && s.Status == other.Status && status.Code(s.Err) == status.Code(other.Err)
}

// hopeless reports whether waiting cannot help: this server will never say that it serves.
func (s *State) hopeless() bool { return status.Code(s.Err) == codes.Unimplemented }
