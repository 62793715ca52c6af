package servicer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/internal/connlimit"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

const (
	// closeInterval is how often connections that delay the end are closed: a handshake may take as long, and a peer that
	// does not read is recognized after it.
	closeInterval = time.Second
	// stopGrace is how long a server may take to stop after Stop was called.
	stopGrace = time.Second
)

// target is one server to stop, with its listener if the Server started it.
type target struct {
	server   *grpc.Server
	listener *connlimit.Listener // nil if the server was started elsewhere
	http     *httpCalls          // nil if it was not
}

// Drain stops servers without losing calls, in this order:
//
//  1. The phase becomes Draining and every name but liveness NOT_SERVING. Watches of unknown names receive NOT_SERVING too.
//  2. Calls are served as before for Config.DrainDelay, counted from the first call of Drain, so that load balancers can
//     react.
//  3. Watch and report streams end with UNAVAILABLE, also without a request, and if the client does not read: grpc-go's
//     GracefulStop alone would wait for them forever.
//  4. Every server is stopped by GracefulStop, and after Config.ShutdownTimeout by Stop. Servers on which nothing but
//     health and reflection services are registered follow when the others have stopped, so that liveness remains
//     available until then; they have two seconds.
//  5. The phase becomes Stopped, once all calls of Drain have reached this step.
//
// The connections of a server behind net/http (grpc.Server.ServeHTTP) belong to its http.Server, and GracefulStop would
// cancel its calls. Once one such call was seen, step 4 therefore waits for the calls in flight that Config.Recorder
// counts, and leaves a single server running: call http.Server.Shutdown afterwards. Several servers are then stopped as
// above.
//
// If ctx is done, the rest of 2 is skipped and 4 uses Stop, after a second in which connections without calls can close.
// Drain returns nil if all calls have ended by themselves, otherwise an error that wraps the cause:
// context.DeadlineExceeded, or that of ctx. A handler that ignores its context keeps running. Drain may be called without
// servers, where other code stops them, and more than once, also concurrently.
//
// A peer that does not complete its handshake, or has blocked a stream of this package, delays the end by a second or two:
// its connection is closed, if Serve has accepted it.
func (s *Server) Drain(ctx context.Context, servers ...*grpc.Server) error {
	targets := make([]target, len(servers))
	for i, server := range servers {
		targets[i] = target{server: server, http: &httpCalls{Server: s, only: len(servers) == 1}}
	}
	return s.drainTargets(ctx, s.cfg.DrainDelay, targets)
}

func (s *Server) drainTargets(ctx context.Context, delay time.Duration, targets []target) error {
	sleep(ctx, time.Until(s.beginDrain().Add(delay)))
	s.endStreams()
	err := stopAll(ctx, s.cfg.ShutdownTimeout, targets)
	s.update(func(in *inputs) {
		if s.drains--; s.drains == 0 {
			in.phase = Stopped
		}
	})
	return err
}

// beginDrain makes names NOT_SERVING and returns when that was done first. Once the phase is Stopped there is no delay.
func (s *Server) beginDrain() (began time.Time) {
	s.update(func(in *inputs) {
		s.drains++
		if s.drainBegan.IsZero() {
			s.drainBegan = time.Now()
			s.statuses.SetUnknown(healthpb.HealthCheckResponse_NOT_SERVING)
		}
		if began = s.drainBegan; in.phase == Stopped {
			began = time.Time{}
		}
		in.phase = max(in.phase, Draining)
	})
	return began
}

// endStreams ends the streams of this package and rejects new ones. Unary calls are served on.
func (s *Server) endStreams() {
	s.statuses.End()
	s.watches.End()
	s.streams.End()
	s.requests.End()
}

// markUnread marks the connection of a stream that its client does not read.
func (s *Server) markUnread(connection any) {
	if targets := s.targets.Load(); targets != nil {
		for _, t := range *targets {
			t.listener.MarkUnread(connection)
		}
	}
}

// stopAll stops all targets, those with health services only after the others, and returns when the last one has stopped.
func stopAll(ctx context.Context, timeout time.Duration, targets []target) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var errs []error
	var mu sync.Mutex
	for _, last := range []bool{false, true} {
		var wg sync.WaitGroup
		for _, t := range targets {
			if t.healthOnly() == last {
				wg.Go(func() {
					err := t.stop(ctx, last)
					mu.Lock()
					defer mu.Unlock()
					errs = append(errs, err)
				})
			}
		}
		wg.Wait()
	}
	return errors.Join(errs...)
}

// healthOnly reports whether no services but those of health and reflection are registered.
func (t target) healthOnly() bool {
	for service := range t.server.GetServiceInfo() {
		switch service {
		case healthpb.Health_ServiceDesc.ServiceName, vitalspb.HealthReportService_ServiceDesc.ServiceName, albService,
			"xds.service.orca.v3.OpenRcaService", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection":
		default:
			return false
		}
	}
	return true
}

// stop stops one server gracefully, or hard when ctx is done, and healthOnly in any case, after two closeIntervals. It
// returns within stopGrace of that, even if the server does not: it may wait for a handshake or, by grpc.WaitForHandlers,
// for a handler.
func (t target) stop(ctx context.Context, healthOnly bool) error {
	if t.http != nil && t.http.use() {
		if !t.http.wait(ctx) {
			return t.cutOff(ctx, healthOnly)
		}
		if t.http.only {
			return nil
		}
	}
	graceful := async(t.server.GracefulStop)
	if waitFor(ctx, closeInterval, graceful) {
		return nil
	}
	t.closeStuck()
	if waitFor(context.WithoutCancel(ctx), closeInterval, graceful) {
		return nil
	}
	for !healthOnly && ctx.Err() == nil {
		t.closeStuck()
		if waitFor(ctx, closeInterval, graceful) {
			return nil
		}
	}
	return t.cutOff(ctx, healthOnly)
}

// cutOff stops a server hard.
func (t target) cutOff(ctx context.Context, healthOnly bool) error {
	stopped := async(t.server.Stop)
	if t.listener != nil {
		t.listener.CloseAll()
	}
	if waitFor(context.WithoutCancel(ctx), stopGrace, stopped) && healthOnly {
		return nil // streams have ended, and health calls take no time
	}
	return fmt.Errorf("servicer: graceful stop did not finish, calls or handshakes were cut off: %w", cmp.Or(context.Cause(ctx), errNotStopped))
}

// closeStuck closes the connections that would delay the end.
func (t target) closeStuck() {
	if t.listener != nil {
		t.listener.CloseSilent()
		t.listener.CloseUnread()
	}
}

// async runs f in a goroutine and returns a channel that is closed when f has returned.
func async(f func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	return done
}

// wait reports whether done was closed before ctx was done.
func wait(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// waitFor reports whether done was closed before ctx was done or d had passed.
func waitFor(ctx context.Context, d time.Duration, done <-chan struct{}) bool {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return wait(ctx, done)
}

// sleep waits for d, or until ctx is done.
func sleep(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-ctx.Done()
}
