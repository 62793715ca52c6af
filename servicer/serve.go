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
)

var (
	errRunning = errors.New("servicer: Run or Serve is running already")
	errUnended = errors.New("servicer: a server could not be ended: its listener does not answer")
)

// Endpoint is a server and where it listens.
type Endpoint struct {
	Server   *grpc.Server
	Listener net.Listener
}

// Serve runs the judge, serves server on lis, and drains it when ctx ends; see Drain. It registers nothing: Register,
// or the interceptors UnaryHealthInterceptor and StreamHealthInterceptor, make the health service answer. Every service that is registered
// on server becomes a name of the health service; a check of the same name is a mistake, and then nothing is served.
//
// It blocks until everything it started has gone, and returns nil after a complete drain; the error of Drain if calls
// had to be cut off; that of Run; that of the listener, after an end without the delay; or one that says that a witness,
// such as a breaker.Source, hangs and keeps the judge from ending. The listener is closed in every case. Call Serve,
// ServeAll or Run once, and not two of them.
func (s *Server) Serve(ctx context.Context, server *grpc.Server, lis net.Listener) error {
	return s.ServeAll(ctx, Endpoint{Server: server, Listener: lis})
}

// ServeAll is Serve for several servers with one health, such as one for the work and one, without TLS, for probes
// alone. They are drained together. When one of them fails or is stopped by somebody else, all end.
func (s *Server) ServeAll(ctx context.Context, endpoints ...Endpoint) error {
	err := errRunning
	if !s.running.Load() { // else an end of these servers would be the end of those that are served already
		err = s.learn(servicesOf(endpoints))
	}
	if err != nil {
		for _, e := range endpoints {
			_ = e.Listener.Close()
		}
		return err
	}
	targets := make([]target, len(endpoints))
	for i, e := range endpoints {
		targets[i] = target{server: e.Server, listener: newListener(e.Listener)}
	}
	return s.serveTargets(ctx, targets)
}

func (s *Server) serveTargets(ctx context.Context, targets []target) error {
	// The judge outlives ctx: the drain is part of the report.
	judging, dismiss := context.WithCancel(context.WithoutCancel(ctx))
	defer dismiss()
	var wg sync.WaitGroup
	ended := make(chan error, len(targets)+1)
	wg.Go(func() { ended <- s.Run(judging) })
	for _, t := range targets {
		wg.Go(func() { ended <- t.server.Serve(t.listener) })
	}

	var broken error
	delay := s.cfg.DrainDelay
	select {
	case <-ctx.Done():
	case broken = <-ended:
		delay = 0 // new connections fail already: there is nothing to announce that is not known
	}
	cut := s.drainTargets(context.WithoutCancel(ctx), delay, targets)
	dismiss()
	// A server that could not even be stopped must not keep the process from ending. The judge's patience is its own.
	grace := endPatience + 2*stopGrace
	if cut != nil {
		grace = stopGrace
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if !wait(patience, async(wg.Wait)) {
		return errors.Join(broken, cmp.Or(cut, errUnended))
	}
	close(ended)
	for err := range ended {
		broken = errors.Join(broken, unexpected(err))
	}
	return errors.Join(broken, cut)
}

// unexpected returns err unless it is what a server says that was stopped before it began to serve.
func unexpected(err error) error {
	if errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return err
}

// servicesOf returns the full names of all services that are registered on any of the servers, sorted.
func servicesOf(endpoints []Endpoint) []string {
	services := make(map[string]struct{})
	for _, e := range endpoints {
		for service := range e.Server.GetServiceInfo() {
			services[service] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(services))
}
