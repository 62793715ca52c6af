package servicer

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/statusmap"
)

// maxListed is how many names List returns; with more it fails (gRFC A90).
const maxListed = 100

// responses are shared by all callers and must not be changed.
type responses struct {
	byStatus []*healthpb.HealthCheckResponse
	notFound error
}

func newResponses() responses {
	r := responses{notFound: status.Error(codes.NotFound, "unknown service")}
	for status := healthpb.HealthCheckResponse_UNKNOWN; status <= healthpb.HealthCheckResponse_SERVICE_UNKNOWN; status++ {
		r.byStatus = append(r.byStatus, &healthpb.HealthCheckResponse{Status: status})
	}
	return r
}

// of returns the shared response for a status. Statuses that the protocol does not define are passed on.
func (r *responses) of(status servingStatus) *healthpb.HealthCheckResponse {
	if uint(status) < uint(len(r.byStatus)) {
		return r.byStatus[status]
	}
	return &healthpb.HealthCheckResponse{Status: status}
}

// Check returns the status of a name from memory, without a lock and without allocating; an unknown name fails with
// NOT_FOUND. Callers share the response and must not change it.
func (s *Server) Check(_ context.Context, request *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	status, known := s.statuses.Lookup(request.Service)
	if !known {
		return nil, s.responses.notFound
	}
	return s.responses.of(status), nil
}

// List returns every known name and its status; more than 100 names fail with RESOURCE_EXHAUSTED. A Server without
// sources lists the names that grpc-go's health.Server would: Check knows the names of probes, but List has them only
// once they were set. The statuses are read one by one. Callers share the responses and must not change them.
func (s *Server) List(context.Context, *healthpb.HealthListRequest) (*healthpb.HealthListResponse, error) {
	statuses := make(map[string]*healthpb.HealthCheckResponse)
	probes := s.sources.any()
	for name, state := range s.statuses.All() {
		if !probes && name != "" && reserved(name) && !s.wasSet(name) {
			continue
		}
		if len(statuses) == maxListed {
			return nil, status.Errorf(codes.ResourceExhausted, "server health list exceeds maximum capacity: %d", maxListed)
		}
		statuses[validUTF8(name)] = s.responses.of(state)
	}
	return &healthpb.HealthListResponse{Statuses: statuses}, nil
}

func (s *Server) wasSet(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isSet(name)
}

// Watch sends the status of a name at once and again whenever it has changed, SERVICE_UNKNOWN while the name is unknown.
// A client that reads slowly gets the newest status and misses those between.
//
// It ends with CANCELLED when the client leaves, and with UNAVAILABLE, after a last NOT_SERVING, when the server drains.
// It fails with RESOURCE_EXHAUSTED when too many watches are open, with INVALID_ARGUMENT for an unknown name of more than
// 1 KiB, and with UNAVAILABLE once the watches have ended.
func (s *Server) Watch(request *healthpb.HealthCheckRequest, stream grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	select {
	case <-s.statuses.Ended():
		// No status is sent before the error: grpc-go's client reconnects without backoff after it has received one.
		return errDraining()
	default:
	}
	if _, known := s.statuses.Lookup(request.Service); !known && len(request.Service) > maxWatchedName {
		return status.Errorf(codes.InvalidArgument, "service name has %d bytes, want at most %d", len(request.Service), maxWatchedName)
	}
	connection := connectionOf(stream.Context())
	if err := s.watches.enter(connection); err != nil {
		return err
	}
	defer s.watches.leave(connection)
	watch := s.statuses.Watch(request.Service)
	defer watch.Close()
	return s.send(watch, stream)
}

// send sends the statuses of watch until the stream or the watch ends. No lock is held during Send.
func (s *Server) send(watch *statusmap.Watch[servingStatus], stream grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	done := stream.Context().Done()
	sent := servingStatus(-1)
	for first := true; ; first = false {
		state, last := watch.Status()
		if state != sent || first {
			if stream.Send(s.responses.of(state)) != nil {
				return status.Error(codes.Canceled, "stream has ended")
			}
			sent = state
		}
		if last {
			return errDraining()
		}
		if !watch.Wait(done) {
			return status.Error(codes.Canceled, "stream has ended")
		}
	}
}

// errDraining is not UNIMPLEMENTED, which clients treat as a server without health checks that may receive traffic.
func errDraining() error { return status.Error(codes.Unavailable, "server is shutting down") }
