package servicer

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/internal/connlimit"
)

var errNoEndpoint = errors.New("servicer: Endpoint: Server and Listener are required")

var errNotStopped = errors.New("servicer: a server did not stop: its listener blocks")

// Endpoint is a server and its listener.
type Endpoint struct {
	Server   *grpc.Server
	Listener net.Listener
}

// Serve calls Run, serves server on lis, and drains it when ctx is done; see Drain. It registers nothing: call Register
// before, or use UnaryHealthInterceptor and StreamHealthInterceptor. Every service that is registered on server becomes a
// name of the health service; a check of the same name is an error, as is one that gates an unknown service, and then
// nothing is served.
//
// Serve blocks until everything it started has ended, and closes lis in every case but one: a second call with the listener
// of the first, which goes on. It returns nil after a complete drain,
// otherwise the error of Drain if calls were cut off, of Run, or of the listener, after a drain without delay. Call one of
// Serve, ServeAll and Run, once.
func (s *Server) Serve(ctx context.Context, server *grpc.Server, lis net.Listener) error {
	return s.ServeAll(ctx, Endpoint{Server: server, Listener: lis})
}

// ServeAll is Serve for any number of servers with one health, such as one for calls and one, without TLS, for probes. They
// are drained together, those with health services only after the others; see Drain. When one of them fails or is stopped,
// also by GracefulStop, all are.
//
// TCP and Unix connections reach a server's credentials as the listener returns them, Unix connections only after their
// peer has sent data; connections of other types are wrapped, and NetConn returns them.
func (s *Server) ServeAll(ctx context.Context, endpoints ...Endpoint) error {
	err := errRunning
	if !s.running.Load() { // otherwise the servers of the first call would be drained
		err = s.addEndpoints(endpoints)
	}
	if err != nil {
		for _, e := range endpoints {
			if e.Listener != nil && !s.accepts(e.Listener) {
				_ = e.Listener.Close()
			}
		}
		return err
	}
	targets := make([]target, len(endpoints))
	for i, e := range endpoints {
		targets[i] = target{server: e.Server, listener: connlimit.New(e.Listener, 0)}
	}
	s.targets.Store(&targets)
	return s.serveTargets(ctx, targets)
}

// accepts reports whether lis is a listener of the ServeAll that is running.
func (s *Server) accepts(lis net.Listener) bool {
	targets := s.targets.Load()
	return targets != nil && slices.ContainsFunc(*targets, func(t target) bool { return t.listener.Wraps(lis) })
}

func (s *Server) serveTargets(ctx context.Context, targets []target) error {
	// Run outlives ctx: reports show the drain.
	running, stopRun := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRun()
	var wg sync.WaitGroup
	ended := make(chan error, len(targets)+1)
	wg.Go(func() { ended <- s.Run(running) })
	// A server that was stopped by GracefulStop closes its listener, but returns from Serve only when its calls have ended.
	closed := make(chan int, len(targets))
	var draining atomic.Int64 // 1 + the index of the server whose end has begun the drain, else -1; 0 before
	for i, t := range targets {
		t.listener.OnClose = sync.OnceFunc(func() { closed <- i })
		wg.Go(func() {
			err := t.server.Serve(t.listener)
			if cause := draining.Load(); errors.Is(err, grpc.ErrServerStopped) && cause != 0 && cause != int64(i+1) {
				err = nil // it was stopped by the drain before it began to serve
			}
			ended <- err
		})
	}

	var failed error
	delay := time.Duration(0) // new connections fail already, unless ctx is done
	select {
	case <-ctx.Done():
		delay = s.cfg.DrainDelay
		draining.Store(-1)
	case failed = <-ended:
		draining.Store(-1)
	case i := <-closed:
		draining.Store(int64(i + 1))
	}
	cut := s.drainTargets(context.WithoutCancel(ctx), delay, targets)
	stopRun()
	// A server that does not stop must not keep the process from ending. Run has a timeout of its own.
	grace := stallTimeout + 2*stopGrace
	if cut != nil {
		grace = stopGrace
	}
	if !waitFor(context.WithoutCancel(ctx), grace, async(wg.Wait)) {
		return errors.Join(failed, cmp.Or(cut, errNotStopped))
	}
	close(ended)
	for err := range ended {
		failed = errors.Join(failed, err)
	}
	return errors.Join(failed, cut)
}

// addEndpoints makes the services of all endpoints known. Without endpoints other servers may follow; see AddServices.
func (s *Server) addEndpoints(endpoints []Endpoint) error {
	services := make(map[string]struct{})
	for _, e := range endpoints {
		if e.Server == nil || e.Listener == nil {
			return errNoEndpoint
		}
		for service := range e.Server.GetServiceInfo() {
			services[service] = struct{}{}
		}
	}
	return s.addServices(slices.Sorted(maps.Keys(services)), len(endpoints) > 0)
}
