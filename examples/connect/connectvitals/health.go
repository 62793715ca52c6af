// Package connectvitals connects connect-go to vitals: grpc.health.v1 by connectrpc.com/grpchealth, and recorded calls. Copy
// it.
package connectvitals

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/servicer"
)

// NewHandler returns the path and the handler of grpc.health.v1 with the statuses of server.
func NewHandler(server *servicer.Server) (string, http.Handler) {
	return grpchealth.NewHandler(checker{server}, connect.WithInterceptors(watching{}))
}

// checker is a grpchealth.Watcher with the statuses of vitals.
type checker struct{ server *servicer.Server }

// Check implements grpchealth.Checker. grpchealth also calls it for each status that a Watch sends.
func (c checker) Check(ctx context.Context, request *grpchealth.CheckRequest) (*grpchealth.CheckResponse, error) {
	if w, ok := ctx.Value(watchKey{}).(*watch); ok {
		return w.next()
	}
	response, err := c.server.Check(ctx, &healthpb.HealthCheckRequest{Service: request.Service})
	if err != nil {
		return nil, connect.NewError(connect.CodeNotFound, errors.New("unknown service"))
	}
	return &grpchealth.CheckResponse{Status: grpchealth.Status(response.Status)}, nil
}

// Watch implements grpchealth.Watcher. It follows one name. The end of a drain ends the stream with UNAVAILABLE.
func (c checker) Watch(ctx context.Context, request *grpchealth.CheckRequest, onChange func()) (func(), error) {
	w, ok := ctx.Value(watchKey{}).(*watch)
	if !ok {
		return nil, connect.NewError(connect.CodeInternal, errors.New("the interceptor watching is missing"))
	}
	ctx, stop := context.WithCancel(ctx)
	first := make(chan struct{})
	go func() {
		for status := range c.server.StatusChanges(ctx, request.Service) {
			if w.status.Swap(uint32(status)) == none {
				close(first)
			}
			onChange()
		}
		if ctx.Err() == nil {
			w.ended.Store(true)
			onChange()
		}
	}()
	select {
	case <-first: // grpchealth sends it
	case <-ctx.Done():
	}
	return stop, nil
}

// watch is what a Watch sends next.
type watch struct {
	status atomic.Uint32 // also SERVICE_UNKNOWN, which grpchealth has no name for
	ended  atomic.Bool   // by a drain
}

const none = uint32(0xff) // no status yet

func (w *watch) next() (*grpchealth.CheckResponse, error) {
	if w.ended.Load() {
		return nil, connect.NewError(connect.CodeUnavailable, errors.New("server is shutting down"))
	}
	return &grpchealth.CheckResponse{Status: grpchealth.Status(w.status.Load())}, nil //nolint:gosec // a status is less than 256
}

// watching is a connect.Interceptor that gives each stream its watch.
type watching struct{}

type watchKey struct{}

// WrapStreamingHandler implements connect.Interceptor.
func (watching) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		w := new(watch)
		w.status.Store(none)
		return next(context.WithValue(ctx, watchKey{}, w), conn)
	}
}

// WrapUnary implements connect.Interceptor.
func (watching) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc { return next }

// WrapStreamingClient implements connect.Interceptor.
func (watching) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}
