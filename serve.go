package vitals

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"github.com/vitals-go/vitals/internal/connlimit"
	"github.com/vitals-go/vitals/servicer"
)

// Serve checks, serves, drains and stops: it registers what is missing on server, opens the doors that the Config
// names, serves lis, and when ctx ends it drains in the order that servicer.Drain documents, while the HTTP door
// tells the same. It blocks until everything has gone. It returns nil after a complete drain, an error when a door
// cannot be opened (nothing is served then, and lis is closed), and otherwise what went wrong.
//
// A breaker.Source, a disk or a log that never answers does not keep it: what still waits for one some seconds after the
// drain, at most 10 for the judge and 6 more for the rest, is left behind, and the error says so.
//
// Register the application's own services first. Serve handles no signal: give it a context that ends with one, as
// signal.NotifyContext makes. A second call of Serve or Run returns an error and leaves the first alone.
func (h *Health) Serve(ctx context.Context, server *grpc.Server, lis net.Listener) error {
	listeners, err := h.open(ctx)
	if err != nil {
		lis.Close()
		return unlessEnded(ctx, err)
	}
	h.Register(server)
	endpoints := []servicer.Endpoint{{Server: server, Listener: lis}}
	if listeners.grpc != nil {
		endpoints = append(endpoints, servicer.Endpoint{Server: h.newHealthServer(), Listener: listeners.grpc})
	}
	return h.runAll(ctx, listeners, func(ctx context.Context) error { return h.Server.ServeAll(ctx, endpoints...) })
}

const (
	// greetTimeout is how long a connection to the health-only port may stay silent: it would keep the server from
	// stopping.
	greetTimeout = 5 * time.Second
	// maxProbers is how many connections that port holds; more of them show the longest silent one out. It is for probers,
	// and whoever else can reach it must not use up the file descriptors of the whole process.
	maxProbers = 1000
	// idleTimeout ends connections without a call, deadTimeout asks a peer whether it is still there.
	idleTimeout = 5 * time.Minute
	deadTimeout = time.Minute
)

// newHealthServer returns a server that answers grpc.health.v1 from the same state and nothing else: the report is not for
// everybody who can reach a port without credentials. It is bounded more tightly than a server with work to do.
func (h *Health) newHealthServer() *grpc.Server {
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(64 << 10), grpc.MaxHeaderListSize(16 << 10), grpc.MaxConcurrentStreams(1000),
		grpc.ConnectionTimeout(greetTimeout),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: idleTimeout, Time: deadTimeout}),
	}
	if h.tls.grpc != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(h.tls.grpc)))
	}
	server := grpc.NewServer(options...)
	h.Server.RegisterHealth(server)
	return server
}

// listeners are the listeners that belong to us; nil where a door stays closed.
type listeners struct {
	http, grpc net.Listener
}

var errUsed = errors.New("vitals: Serve or Run has been called already")

// open opens the doors, once: a second start would drain what the first one serves.
func (h *Health) open(ctx context.Context) (listeners, error) {
	if h.used.Swap(true) {
		return listeners{}, errUsed
	}
	d, err := h.listen(ctx)
	if err != nil {
		h.used.Store(false) // nothing has begun: the caller may try again
	}
	return d, err
}

// listen opens all listeners or none.
func (h *Health) listen(ctx context.Context) (listeners, error) {
	var d listeners
	var errs []error
	open := func(field, addr string) net.Listener {
		if addr == "" {
			return nil
		}
		var config net.ListenConfig
		lis, err := config.Listen(ctx, "tcp", addr)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", addressField(field), err))
			return nil
		}
		return lis
	}
	d.http = open("HTTPAddr", h.cfg.HTTPAddr)
	d.grpc = open("HealthGRPCAddr", h.cfg.HealthGRPCAddr)
	if err := errors.Join(errs...); err != nil {
		d.close()
		return listeners{}, err
	}
	if d.grpc != nil {
		d.grpc = connlimit.New(d.grpc, maxProbers)
	}
	return d, nil
}

// unlessEnded returns err, or nil if all that it says is that ctx had ended before the doors were open, as after a signal
// during the start: that is no mistake, and there is nothing to drain.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

func (d listeners) close() {
	for _, lis := range []net.Listener{d.http, d.grpc} {
		if lis != nil {
			lis.Close()
		}
	}
}
