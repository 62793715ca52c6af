package servicer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
)

const (
	// handshakeGrace is how long a connection that was accepted just before the end may take to greet.
	handshakeGrace = time.Second
	// stopGrace is how long a server may take to stop once it has been told to drop everything.
	stopGrace = time.Second
)

// target is one server to stop, with the listener that it serves if that is ours.
type target struct {
	server   *grpc.Server
	listener *listener // nil if the server was started elsewhere
}

// Drain ends servers without losing calls, in this order:
//
//  1. The phase is Draining, every name but liveness is NOT_SERVING, and every watch is told, of unknown names too.
//  2. For Config.DrainDelay, counted from the first call of Drain, everything is served as before, so that load
//     balancers can notice.
//  3. Watches end with UNAVAILABLE: grpc-go's GracefulStop alone waits for them for ever.
//  4. Every server is stopped by GracefulStop, and after Config.ShutdownTimeout by Stop.
//  5. The phase is Stopped.
//
// If ctx ends, what is left of 2 is skipped, and 4 goes to Stop. Drain returns nil if all calls have ended by
// themselves, else an error that wraps the cause: context.DeadlineExceeded, or that of ctx. A call whose handler
// ignores its context goes on after that. Drain may be called without a server, to announce the end of one that
// somebody else stops, and more than once, also at the same time.
func (s *Server) Drain(ctx context.Context, servers ...*grpc.Server) error {
	targets := make([]target, len(servers))
	for i, server := range servers {
		targets[i] = target{server: server}
	}
	return s.drainTargets(ctx, s.cfg.DrainDelay, targets)
}

func (s *Server) drainTargets(ctx context.Context, delay time.Duration, targets []target) error {
	s.setPhase(Draining)
	began := s.drain()
	sleep(ctx, time.Until(began.Add(delay)))
	s.endWatches()
	err := stopAll(ctx, s.cfg.ShutdownTimeout, targets)
	s.setPhase(Stopped)
	return err
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

// stop ends one server gracefully, or hard when ctx ends. It returns within stopGrace of that, even if the server does
// not: it may be waiting for a handshake, or, by grpc.WaitForHandlers, for a handler.
func (t target) stop(ctx context.Context) error {
	graceful := async(t.server.GracefulStop)
	if t.listener != nil {
		greet, cancel := context.WithTimeout(ctx, handshakeGrace)
		defer cancel()
		wait(greet, graceful)
		t.listener.closeSilent()
	}
	if wait(ctx, graceful) {
		return nil
	}
	stopped := async(t.server.Stop)
	if t.listener != nil {
		t.listener.closeAll()
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancel()
	wait(patience, stopped)
	return fmt.Errorf("servicer: server stopped with calls in flight: %w", context.Cause(ctx))
}

// async runs f, which belongs to gRPC and ends when it likes, and returns a channel that is closed then.
func async(f func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	return done
}

// wait reports whether done was closed before ctx ended.
func wait(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// sleep waits for d, or less if ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
