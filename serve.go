package vitals

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"github.com/vitals-go/vitals/internal/turnstile"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
)

// Serve checks, serves, drains and stops: it registers what is missing on server, opens the doors that the Config
// names, serves lis, and when ctx ends it drains in the order that servicer.Drain documents, while the HTTP door
// tells the same. It blocks until everything has gone. It returns nil after a complete drain, an error when a door
// cannot be opened (nothing is served then, and lis is closed), and otherwise what went wrong.
//
// Register the application's own services first.
func (h *Health) Serve(ctx context.Context, server *grpc.Server, lis net.Listener) error {
	doors, err := h.listen(ctx)
	if err != nil {
		lis.Close()
		return err
	}
	h.Register(server)
	endpoints := []servicer.Endpoint{{Server: server, Listener: lis}}
	if doors.grpc != nil {
		endpoints = append(endpoints, servicer.Endpoint{Server: h.healthOnly(), Listener: doors.grpc})
	}
	return h.around(ctx, doors, func(ctx context.Context) error { return h.Servicer.ServeAll(ctx, endpoints...) })
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

// healthOnly returns a server that answers grpc.health.v1 from the same state and nothing else: the report is not for
// everybody who can reach a port without credentials. It is bounded more tightly than a server with work to do.
func (h *Health) healthOnly() *grpc.Server {
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(64 << 10), grpc.MaxHeaderListSize(16 << 10), grpc.MaxConcurrentStreams(1000),
		grpc.ConnectionTimeout(greetTimeout),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: idleTimeout, Time: deadTimeout}),
	}
	if h.tls.grpc != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(h.tls.grpc)))
	}
	server := grpc.NewServer(options...)
	h.Servicer.RegisterHealth(server)
	return server
}

// doors are the listeners that belong to us; nil where a door stays closed.
type doors struct {
	http, grpc net.Listener
}

// listen opens all listeners or none.
func (h *Health) listen(ctx context.Context) (doors, error) {
	var d doors
	var errs []error
	open := func(field, addr string) net.Listener {
		if addr == "" {
			return nil
		}
		var config net.ListenConfig
		lis, err := config.Listen(ctx, "tcp", addr)
		if err != nil {
			errs = append(errs, fmt.Errorf("vitals: %s: %w", field, err))
			return nil
		}
		return lis
	}
	d.http = open("HTTPAddr (PLUGIN_HEALTH_HTTP_ADDR)", h.cfg.HTTPAddr)
	d.grpc = open("HealthGRPCAddr (PLUGIN_HEALTH_GRPC_ADDR)", h.cfg.HealthGRPCAddr)
	if err := errors.Join(errs...); err != nil {
		d.close()
		return doors{}, err
	}
	if d.grpc != nil {
		d.grpc = turnstile.New(d.grpc, maxProbers)
	}
	return d, nil
}

func (d doors) close() {
	for _, lis := range []net.Listener{d.http, d.grpc} {
		if lis != nil {
			lis.Close()
		}
	}
}

// around runs the checks and the heralds for as long as serve runs, which includes the drain. When one of them fails,
// serve is asked to end.
func (h *Health) around(ctx context.Context, d doors, serve func(context.Context) error) error {
	serving, giveUp := context.WithCancel(ctx)
	defer giveUp()
	// What runs around the server outlives ctx: the drain is to be seen at every door.
	beside, dismiss := context.WithCancel(context.WithoutCancel(ctx))
	defer dismiss()

	helpers := []func(context.Context) error{h.Checker.Run, h.follow}
	if d.http != nil {
		web, err := probes.NewServer(probes.ServerConfig{Handler: h.http, Listener: d.http, TLS: h.tls.http, Logger: h.log})
		if err != nil {
			d.close()
			return err
		}
		helpers = append(helpers, web.Run, h.http.Run)
	}
	if h.file != nil {
		helpers = append(helpers, h.file.Run)
	}
	if h.otel != nil {
		helpers = append(helpers, h.otel.Run)
	}
	if h.Load != nil {
		helpers = append(helpers, h.Load.Run, h.endLoadStreams)
	}
	errs := make([]error, len(helpers))
	var wg sync.WaitGroup
	for i, run := range helpers {
		wg.Go(func() {
			if errs[i] = run(beside); errs[i] != nil {
				giveUp()
			}
		})
	}
	err := serve(serving)
	dismiss()
	wg.Wait()
	return errors.Join(append(errs, err)...)
}
