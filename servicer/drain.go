package servicer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/internal/connlimit"
)

const (
	// handshakeGrace is how long a connection that was accepted just before the end may take for its handshake.
	handshakeGrace = time.Second
	// stopGrace is how long a server may take to stop after Stop was called.
	stopGrace = time.Second
)

// target is one server to stop, with its listener if the Server started it.
type target struct {
	server   *grpc.Server
	listener *connlimit.Listener // nil if the server was started elsewhere
}

// Drain stops servers without losing calls, in this order:
//
//  1. The phase becomes Draining and every name but liveness NOT_SERVING. Watches of unknown names receive NOT_SERVING too.
//  2. Calls are served as before for Config.DrainDelay, counted from the first call of Drain, so that load balancers can
//     react.
//  3. Watch streams end with UNAVAILABLE: grpc-go's GracefulStop alone would wait for them forever.
//  4. Every server is stopped by GracefulStop, and after Config.ShutdownTimeout by Stop.
//  5. The phase becomes Stopped, once all calls of Drain have reached this step.
//
// If ctx is done, the rest of 2 is skipped and 4 uses Stop. Drain returns nil if all calls have ended by themselves,
// otherwise an error that wraps the cause: context.DeadlineExceeded, or that of ctx. A handler that ignores its context
// keeps running. Drain may be called without servers, where other code stops them, and more than once, also
// concurrently.
func (s *Server) Drain(ctx context.Context, servers ...*grpc.Server) error {
	targets := make([]target, len(servers))
	for i, server := range servers {
		targets[i] = target{server: server}
	}
	return s.drainTargets(ctx, s.cfg.DrainDelay, targets)
}

func (s *Server) drainTargets(ctx context.Context, delay time.Duration, targets []target) error {
	sleep(ctx, time.Until(s.beginDrain().Add(delay)))
	s.statuses.End()
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

// stopAll stops all targets at the same time and returns when the last one has stopped.
func stopAll(ctx context.Context, timeout time.Duration, targets []target) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var wg sync.WaitGroup
	errs := make([]error, len(targets))
	for i, t := range targets {
		wg.Go(func() { errs[i] = t.stop(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// stop stops one server gracefully, or hard when ctx is done. It returns within stopGrace of that, even if the server does
// not: it may wait for a handshake or, by grpc.WaitForHandlers, for a handler.
func (t target) stop(ctx context.Context) error {
	graceful := async(t.server.GracefulStop)
	if t.listener != nil {
		greet, cancel := context.WithTimeout(ctx, handshakeGrace)
		defer cancel()
		wait(greet, graceful)
		t.listener.CloseSilent()
	}
	if wait(ctx, graceful) {
		return nil
	}
	stopped := async(t.server.Stop)
	if t.listener != nil {
		t.listener.CloseAll()
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancel()
	wait(patience, stopped)
	return fmt.Errorf("servicer: server stopped with calls in flight: %w", context.Cause(ctx))
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

// sleep waits for d, or until ctx is done.
func sleep(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-ctx.Done()
}
