package healthclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/broadcast"
)

// Backoff between streams; it also applies after a stream with responses, in case the server ends each at once.
const (
	minBackoff = 100 * time.Millisecond
	maxBackoff = 30 * time.Second
	jitter     = 0.2
)

// Watch yields the current state of service and then each change, until ctx is done or the loop breaks. The end of the
// stream is a change too; Watch then reconnects with exponential backoff from 100 ms to 30 s, ± 20 %, reset by each
// response. A slow reader skips intermediate states.
//
// Use a connection without client-side health checking, which makes a server that is not serving look unreachable. Watch
// does not detect a server that hangs: set keepalive parameters on the connection.
func Watch(ctx context.Context, conn grpc.ClientConnInterface, service string) iter.Seq[*State] {
	return func(yield func(*State) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		w := &watcher{client: healthpb.NewHealthClient(conn), service: service, states: broadcast.New[State](nil)}
		wg.Go(func() { w.run(ctx) })
		for state := range w.states.Changes(ctx) {
			if state != nil && !yield(state) {
				return
			}
		}
	}
}

// WaitServing blocks until service is serving. It returns an error with the last state when ctx is done, which the error
// wraps, or at once when the server has no health service.
func WaitServing(ctx context.Context, conn grpc.ClientConnInterface, service string) error {
	var last *State
	for last = range Watch(ctx, conn, service) {
		if last.Serving() {
			return nil
		}
		if status.Code(last.Err) == codes.Unimplemented {
			return fmt.Errorf("healthclient: wait for %q: no health service: %w", service, last.Err)
		}
	}
	if last == nil {
		return fmt.Errorf("healthclient: wait for %q: no response: %w", service, context.Cause(ctx))
	}
	return fmt.Errorf("healthclient: wait for %q: last state %v: %w", service, last, context.Cause(ctx))
}

// watcher keeps one stream open and publishes its states.
type watcher struct {
	client  healthpb.HealthClient
	service string
	states  *broadcast.Value[State]
}

func (w *watcher) run(ctx context.Context) {
	backoff := minBackoff
	for {
		responded, err := w.stream(ctx)
		if ctx.Err() != nil {
			return
		}
		w.publish(&State{Err: err, Time: time.Now()})
		if responded {
			backoff = minBackoff
		}
		if status.Code(err) == codes.Unimplemented {
			backoff = maxBackoff // changes only with another version of the server
		}
		// With jitter, so that the clients of one server do not reconnect at the same time.
		pause, cancel := context.WithTimeout(ctx, time.Duration(float64(backoff)*(1-jitter+2*jitter*rand.Float64())))
		<-pause.Done()
		cancel()
		if ctx.Err() != nil {
			return
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// stream publishes the responses of one stream until it ends. The error is never nil.
func (w *watcher) stream(ctx context.Context) (responded bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := w.client.Watch(ctx, &healthpb.HealthCheckRequest{Service: w.service})
	if err != nil {
		return false, err
	}
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			err = status.Error(codes.Unavailable, "server ended the watch")
		}
		if err != nil {
			return responded, err
		}
		responded = true
		w.publish(&State{Status: response.GetStatus(), Time: time.Now()})
	}
}

// publish stores s unless it is the current state.
func (w *watcher) publish(s *State) {
	if !s.same(w.states.Load()) {
		w.states.Store(s)
	}
}

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
