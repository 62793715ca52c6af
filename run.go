package vitals

import (
	"context"
	"errors"
	"net"
	"sync"

	"google.golang.org/grpc"
)

// Run is Serve for a server that somebody else serves, such as go-plugin, or for a process that has none: it runs the
// checks and the judge and opens the doors that the Config names. When ctx ends it announces the drain at every door,
// waits for the drain delay, ends the watches and returns, once everything it started has gone; stop your server
// after that. Beside a server from PluginServer there is no delay. It returns nil, or an error when a door cannot be
// opened, a part of it failed or, as Serve says, could not be ended.
//
// Call either Serve or Run, once. ServerOptions and Register, or PluginServer, make your server answer.
func (h *Health) Run(ctx context.Context) error {
	listeners, err := h.open(ctx)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	return h.runAll(ctx, listeners, func(ctx context.Context) error { return h.serve(ctx, listeners.grpc) })
}

// serve runs the judge until the drain that follows the end of ctx is over, and the health-only server if lis is there.
func (h *Health) serve(ctx context.Context, lis net.Listener) error {
	// The judge outlives ctx: the drain is part of the report.
	judging, dismiss := context.WithCancel(context.WithoutCancel(ctx))
	defer dismiss()
	ended := make(chan error, 2)
	var wg sync.WaitGroup
	wg.Go(func() { ended <- h.Server.Run(judging) })
	var servers []*grpc.Server
	if lis != nil {
		server := h.newHealthServer()
		servers = append(servers, server)
		wg.Go(func() { ended <- server.Serve(lis) })
	}

	var broken error
	select {
	case <-ctx.Done():
	case broken = <-ended:
	}
	err := h.announce(ctx, servers)
	dismiss()
	wg.Wait() // for the judge ten seconds at most
	close(ended)
	for late := range ended {
		if !errors.Is(late, grpc.ErrServerStopped) { // one that ended before it began
			broken = errors.Join(broken, late)
		}
	}
	return errors.Join(broken, err)
}

// announce drains. Of a plugin it asks no patience: whoever could hear it has gone.
func (h *Health) announce(ctx context.Context, servers []*grpc.Server) error {
	patience, lose := context.WithCancel(context.WithoutCancel(ctx))
	defer lose()
	if !h.plug.Load() {
		return h.Server.Drain(patience, servers...)
	}
	lose()
	_ = h.Server.Drain(patience, servers...) // A watch that is cut off is no mistake then.
	return nil
}
