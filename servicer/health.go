package servicer

import (
	"context"
	"iter"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/opencalls"
	"github.com/vitals-go/vitals/internal/statusmap"
)

// Any peer that can connect can watch, and each watch costs a goroutine and the state of an HTTP/2 stream: some 20 KB.
const (
	// defaultMaxWatches allows one for each connection of a large fleet.
	defaultMaxWatches = 65_536
	// defaultMaxWatchesPerConn: a client needs one for each service that it balances, a proxy multiplexes many clients.
	defaultMaxWatchesPerConn = 1_000
	// maxWatchedName bounds, in bytes, an unknown name that a watch makes the server keep. gRPC itself allows 4 MiB.
	maxWatchedName = 1024
)

// maxListed is how many names List returns; with more it fails (gRFC A90).
const maxListed = 100

// responses are shared by all callers and must not be changed.
type responses struct {
	byStatus []*healthpb.HealthCheckResponse
	notFound error
	tooMany  error
}

func newResponses() responses {
	r := responses{
		notFound: status.Error(codes.NotFound, "unknown service"),
		tooMany:  status.Errorf(codes.ResourceExhausted, "server health list exceeds maximum capacity: %d", maxListed),
	}
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
func (s *Server) Check(ctx context.Context, request *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	status, known := s.statuses.Lookup(request.Service)
	s.probedByCall(ctx, protocolGRPC, request.Service, status, known)
	if !known {
		return nil, s.responses.notFound
	}
	return s.responses.of(status), nil
}

// List returns every known name and its status; more than 100 names fail with RESOURCE_EXHAUSTED. A Server without
// sources lists the names that grpc-go's health.Server would: Check knows the names of probes, but List has them only
// once they were set. The statuses are read one by one. Callers share the responses and must not change them.
func (s *Server) List(context.Context, *healthpb.HealthListRequest) (*healthpb.HealthListResponse, error) {
	unlisted := s.unlisted()
	if s.statuses.Len()-len(unlisted) > maxListed {
		return nil, s.responses.tooMany
	}
	statuses := make(map[string]*healthpb.HealthCheckResponse)
	for name, state := range s.statuses.All() {
		if !slices.Contains(unlisted, name) {
			statuses[validUTF8(name)] = s.responses.of(state)
		}
	}
	if len(statuses) > maxListed { // some were added meanwhile
		return nil, s.responses.tooMany
	}
	return &healthpb.HealthListResponse{Statuses: statuses}, nil
}

// unlisted returns the names that Check knows and List leaves out.
func (s *Server) unlisted() []string {
	if s.sources.any() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc([]string{checker.Readiness, checker.Liveness, checker.Startup}, s.isSet)
}

// Watch sends the status of a name at once and again whenever it has changed, SERVICE_UNKNOWN while the name is unknown.
// A client that reads slowly gets the newest status and misses those between.
//
// It ends with CANCELLED when the client leaves, and with UNAVAILABLE, after a last NOT_SERVING, when the server drains. It
// ends with DEADLINE_EXCEEDED when it has been blocked for 30 to 60 s because the client does not read.
// It fails with RESOURCE_EXHAUSTED when too many watches are open, with INVALID_ARGUMENT for an unknown name of more than
// 1 KiB, and with UNAVAILABLE once the watches have ended.
func (s *Server) Watch(request *healthpb.HealthCheckRequest, stream grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	select {
	case <-s.statuses.Ended():
		// No status is sent before the error: grpc-go's client reconnects without backoff after it has received one.
		return opencalls.ErrEnded()
	default:
	}
	state, known := s.statuses.Lookup(request.Service)
	if !known && len(request.Service) > maxWatchedName {
		return status.Errorf(codes.InvalidArgument, "service name has %d bytes, want at most %d", len(request.Service), maxWatchedName)
	}
	call, leave, err := opencalls.Enter[healthpb.HealthCheckRequest](s.watches, stream)
	if err != nil {
		return err
	}
	defer leave()
	if prober := s.probedByCall(stream.Context(), protocolWatch, request.Service, state, known); prober != nil {
		defer prober.open.Add(-1)
	}
	watch := s.statuses.Watch(request.Service)
	defer watch.Close()
	return s.send(call, watch, stream)
}

// StatusChanges yields the status of a name at once and again whenever it has changed, SERVICE_UNKNOWN while the name is
// unknown, as Watch does in the process: for a health service of another library. It is woken by this name only and skips
// statuses that have been replaced meanwhile. It ends when ctx is done, when the loop is left, and after a last
// NOT_SERVING when the server drains. It needs no goroutine and counts toward no limit.
func (s *Server) StatusChanges(ctx context.Context, name string) iter.Seq[healthpb.HealthCheckResponse_ServingStatus] {
	return func(yield func(healthpb.HealthCheckResponse_ServingStatus) bool) {
		watch := s.statuses.Watch(name)
		defer watch.Close()
		yielded := servingStatus(-1)
		for ctx.Err() == nil {
			state, last := watch.Status()
			if state != yielded && !yield(state) || last || !watch.Wait(ctx.Done()) {
				return
			}
			yielded = state
		}
	}
}

// send sends the statuses of watch until the stream or the watch ends. No lock is held during Send.
func (s *Server) send(
	call *opencalls.Call, watch *statusmap.Watch[servingStatus], stream grpc.ServerStreamingServer[healthpb.HealthCheckResponse],
) error {
	done := stream.Context().Done()
	sent := servingStatus(-1)
	for first := true; ; first = false {
		state, last := watch.Status()
		if state != sent || first {
			if opencalls.Send(call, stream, s.responses.of(state)) != nil {
				return call.Ended(status.Error(codes.Canceled, "stream has ended"))
			}
			sent = state
		}
		if last {
			return opencalls.ErrEnded()
		}
		if !watch.Wait(done) {
			return status.Error(codes.Canceled, "stream has ended")
		}
	}
}
