package servicer

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"sync"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/internal/connlimit"
)

var errNotStopped = errors.New("servicer: a server did not stop: its listener blocks")

// Endpoint is a server and its listener.
type Endpoint struct {
	Server   *grpc.Server
	Listener net.Listener
}

// Serve calls Run, serves server on lis, and drains it when ctx is done; see Drain. It registers nothing: call Register
// before, or use UnaryHealthInterceptor and StreamHealthInterceptor. Every service that is registered on server becomes a
// name of the health service; a check of the same name is an error, and then nothing is served.
//
// Serve blocks until everything it started has ended, and closes lis in every case. It returns nil after a complete drain,
// otherwise the error of Drain if calls were cut off, of Run, or of the listener, after a drain without delay. Call one of
// Serve, ServeAll and Run, once.
func (s *Server) Serve(ctx context.Context, server *grpc.Server, lis net.Listener) error {
	return s.ServeAll(ctx, Endpoint{Server: server, Listener: lis})
}

// ServeAll is Serve for any number of servers with one health, such as one for calls and one, without TLS, for probes. They
// are drained together. When one of them fails or is stopped, all are.
//
// TCP and Unix connections reach a server's credentials as the listener returns them, Unix connections only after their
// peer has sent data; connections of other types are wrapped, and NetConn returns them.
func (s *Server) ServeAll(ctx context.Context, endpoints ...Endpoint) error {
	err := errRunning
	if !s.running.Load() { // otherwise the servers of the first call would be drained
		err = s.addServices(servicesOf(endpoints))
	}
	if err != nil {
		for _, e := range endpoints {
			_ = e.Listener.Close()
		}
		return err
	}
	targets := make([]target, len(endpoints))
	for i, e := range endpoints {
		targets[i] = target{server: e.Server, listener: connlimit.New(e.Listener, 0)}
	}
	return s.serveTargets(ctx, targets)
}

func (s *Server) serveTargets(ctx context.Context, targets []target) error {
	// Run outlives ctx: reports show the drain.
	running, stopRun := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRun()
	var wg sync.WaitGroup
	ended := make(chan error, len(targets)+1)
	wg.Go(func() { ended <- s.Run(running) })
	for _, t := range targets {
		wg.Go(func() { ended <- t.server.Serve(t.listener) })
	}

	var failed error
	delay := s.cfg.DrainDelay
	select {
	case <-ctx.Done():
	case failed = <-ended:
		delay = 0 // new connections fail already
	}
	cut := s.drainTargets(context.WithoutCancel(ctx), delay, targets)
	stopRun()
	// A server that does not stop must not keep the process from ending. Run has a timeout of its own.
	grace := stallTimeout + 2*stopGrace
	if cut != nil {
		grace = stopGrace
	}
	timeout, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if !wait(timeout, async(wg.Wait)) {
		return errors.Join(failed, cmp.Or(cut, errNotStopped))
	}
	close(ended)
	for err := range ended {
		if !errors.Is(err, grpc.ErrServerStopped) { // that of a server that was stopped before it began to serve
			failed = errors.Join(failed, err)
		}
	}
	return errors.Join(failed, cut)
}

// servicesOf returns the full names of the services of all servers, sorted.
func servicesOf(endpoints []Endpoint) []string {
	services := make(map[string]struct{})
	for _, e := range endpoints {
		for service := range e.Server.GetServiceInfo() {
			services[service] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(services))
}
