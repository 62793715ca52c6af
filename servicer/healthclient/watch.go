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

// The pauses between attempts. Even a stream that has brought something is followed by the first one: a server that
// answers and hangs up at once must not be called in a loop.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 30 * time.Second
	jitter     = 0.2
)

// Watch yields the state of service as soon as the client knows it, and then each change, until ctx ends or the loop is
// left. When the stream ends it yields that, and comes back after a pause that doubles from 100 ms to 30 s, ± 20 %, and
// begins anew when the server has answered. A slow reader misses states, never goes back, and sees the newest.
//
// Give it a connection without client-side health checking: over one that has it, a server that does not serve looks
// like one that cannot be reached. A server that freezes says nothing at all: keepalive parameters on the connection
// find out, or a Check with a deadline.
func Watch(ctx context.Context, conn grpc.ClientConnInterface, service string) iter.Seq[*State] {
	return func(yield func(*State) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var following sync.WaitGroup
		defer following.Wait()
		defer cancel()
		f := &follower{client: healthpb.NewHealthClient(conn), service: service, states: broadcast.New[State](nil)}
		following.Go(func() { f.run(ctx) })
		for state := range f.states.Changes(ctx) {
			if state != nil && !yield(state) {
				return
			}
		}
	}
}

// WaitServing returns nil as soon as service is serving. Otherwise it returns when ctx ends, or at once when the server
// says that it implements no health service: an error that wraps the cause and names the last state.
func WaitServing(ctx context.Context, conn grpc.ClientConnInterface, service string) error {
	var last *State
	for last = range Watch(ctx, conn, service) {
		if last.Serving() {
			return nil
		}
		if last.hopeless() {
			return fmt.Errorf("healthclient: nobody can say whether %q serves: %w", service, last.Err)
		}
	}
	if last == nil {
		return fmt.Errorf("healthclient: no answer whether %q serves: %w", service, context.Cause(ctx))
	}
	return fmt.Errorf("healthclient: %q does not serve, %v: %w", service, last, context.Cause(ctx))
}

// follower keeps one stream open and publishes what it brings.
type follower struct {
	client  healthpb.HealthClient
	service string
	states  *broadcast.Value[State]
}

func (f *follower) run(ctx context.Context) {
	pause := firstPause
	for {
		answered, err := f.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		f.publish(&State{Err: err, Time: time.Now()})
		if answered {
			pause = firstPause
		}
		if status.Code(err) == codes.Unimplemented {
			pause = lastPause // only another version of the server can change that
		}
		if !sleep(ctx, spread(pause)) {
			return
		}
		pause = min(2*pause, lastPause)
	}
}

// follow publishes what one stream brings until it ends, and returns whether that was anything. The error is never
// nil.
func (f *follower) follow(ctx context.Context) (answered bool, err error) {
	ctx, cancel := context.WithCancel(ctx) // frees the stream, however it is left
	defer cancel()
	stream, err := f.client.Watch(ctx, &healthpb.HealthCheckRequest{Service: f.service})
	if err != nil {
		return false, err
	}
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			err = status.Error(codes.Unavailable, "the server has ended the watch")
		}
		if err != nil {
			return answered, err
		}
		answered = true
		f.publish(&State{Status: response.GetStatus(), Time: time.Now()})
	}
}

// publish makes s the newest state if it is news.
func (f *follower) publish(s *State) {
	if !s.same(f.states.Load()) {
		f.states.Store(s)
	}
}

// spread keeps clients that have lost the same server from coming back together.
func spread(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 - jitter + 2*jitter*rand.Float64()))
}

// sleep waits for d and reports whether ctx has not ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
