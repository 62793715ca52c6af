package servicer

import (
	"context"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/asynclog"
	"github.com/vitals-go/vitals/internal/statusmap"
)

// maxListed is how many names List answers with; with more it fails. gRFC A90 gives the number.
const maxListed = 100

// healthServer is grpc.health.v1 over a board: the part of a Server that faces probes and load balancers. It follows
// https://github.com/grpc/grpc/blob/master/doc/health-checking.md.
type healthServer struct {
	healthpb.UnimplementedHealthServer

	board  *statusmap.Map[servingStatus]
	limit  *watchLimit
	logger *asynclog.Logger
	// spoken holds a token when the application's word has changed since the token was last taken.
	spoken chan struct{}
	// draining is when drain was first called; nil before. It is written once.
	draining atomic.Pointer[time.Time]

	// answers are the responses by status. Everybody is given the same ones, so nobody may change them.
	answers [healthpb.HealthCheckResponse_SERVICE_UNKNOWN + 1]*healthpb.HealthCheckResponse
	// unknown answers Check of an unknown name. It is made once, because strangers choose how often it is needed.
	unknown error
}

// healthConfig is the part of Config that healthServer needs.
type healthConfig struct {
	maxWatches        int // 0 means the default, negative means no limit
	maxWatchesPerConn int // the same
	logger            *asynclog.Logger
}

func newHealthServer(cfg healthConfig) *healthServer {
	h := &healthServer{
		board:   newBoard(),
		limit:   newWatchLimit(cfg.maxWatches, cfg.maxWatchesPerConn),
		logger:  cfg.logger,
		spoken:  make(chan struct{}, 1),
		unknown: status.Error(codes.NotFound, "unknown service"),
	}
	for i := range h.answers {
		h.answers[i] = &healthpb.HealthCheckResponse{Status: servingStatus(i)}
	}
	return h
}

// Check answers from memory, without a lock and without allocating; an unknown name fails with NOT_FOUND.
//
// Its responses are shared by all callers: an interceptor may read them, but must not change them.
func (h *healthServer) Check(_ context.Context, request *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	state, known := h.board.Lookup(request.Service)
	if !known {
		return nil, h.unknown
	}
	return h.answer(state), nil
}

// List answers with every known name and its status. More than 100 names fail with RESOURCE_EXHAUSTED. The statuses
// are each true when they are read, but are not one snapshot; the responses in the map are shared, as those of Check.
func (h *healthServer) List(context.Context, *healthpb.HealthListRequest) (*healthpb.HealthListResponse, error) {
	statuses := make(map[string]*healthpb.HealthCheckResponse, h.board.Len())
	for name, state := range h.board.All() {
		if len(statuses) == maxListed {
			return nil, status.Errorf(codes.ResourceExhausted, "more than %d services are known; ask for each by name", maxListed)
		}
		statuses[sayable(name)] = h.answer(state)
	}
	return &healthpb.HealthListResponse{Statuses: statuses}, nil
}

// Watch sends the status of a name at once, and again whenever it has changed; SERVICE_UNKNOWN while nobody knows the
// name. A client that reads slowly gets the newest status and misses those between.
//
// It ends with CANCELLED when the client leaves, and with UNAVAILABLE, after a last NOT_SERVING, when the server drains.
// It refuses with RESOURCE_EXHAUSTED when too many watches are open, an unknown name of more than 1 KiB with
// INVALID_ARGUMENT, and everything with UNAVAILABLE once the server has ended its watches.
func (h *healthServer) Watch(request *healthpb.HealthCheckRequest, stream grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	connection, err := h.admit(stream.Context(), request.Service)
	if err != nil {
		return err
	}
	defer h.limit.leave(connection)
	watch := h.board.Watch(request.Service)
	defer watch.Close()
	return h.follow(watch, stream)
}

// follow sends what watch sees until one of the two sides ends it. No lock is held anywhere near Send.
func (h *healthServer) follow(watch *statusmap.Watch[servingStatus], stream grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	left := stream.Context().Done()
	sent := servingStatus(-1)
	for first := true; ; first = false {
		state, last := watch.State()
		if state != sent || first {
			if stream.Send(h.answer(state)) != nil {
				return status.Error(codes.Canceled, "stream has ended")
			}
			sent = state
		}
		if last {
			return errEnding()
		}
		if !watch.Wait(left) {
			return status.Error(codes.Canceled, "stream has ended")
		}
	}
}

// errEnding is never UNIMPLEMENTED: clients take that for a server without health checks, and send it traffic.
func errEnding() error { return status.Error(codes.Unavailable, "server is shutting down") }

// answer returns the shared response for state. States that the protocol does not know are passed on as they are.
func (h *healthServer) answer(state servingStatus) *healthpb.HealthCheckResponse {
	if uint(state) < uint(len(h.answers)) {
		return h.answers[state]
	}
	return &healthpb.HealthCheckResponse{Status: state}
}
