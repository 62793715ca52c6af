package vitals

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"github.com/vitals-go/vitals/internal/connlimit"
)

// Limits of the health-only listener. It is for probers: other peers that reach it must not use up the file descriptors of
// the process.
const (
	healthOnlyHandshake = 5 * time.Second
	healthOnlyConns     = 1000            // more connections close the longest idle one
	healthOnlyStreams   = 1000            // of a connection
	healthOnlyIdle      = 5 * time.Minute // ends connections without a call
	healthOnlyPing      = time.Minute     // keepalive
)

// healthOnlyServer returns a server that serves grpc.health.v1 and nothing else: reports are not for every peer that can
// reach a port without credentials.
func (h *Health) healthOnlyServer() *grpc.Server {
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(64 << 10), grpc.MaxHeaderListSize(16 << 10), grpc.MaxConcurrentStreams(h.healthOnlyStreams()),
		grpc.ConnectionTimeout(healthOnlyHandshake), keepaliveEnforcement(),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: healthOnlyIdle, Time: healthOnlyPing}),
	}
	if h.tls.grpc != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(h.tls.grpc)))
	}
	server := grpc.NewServer(options...)
	h.server.RegisterHealth(server)
	return server
}

// healthOnlyStreams returns how many streams a connection may have: more than healthOnlyStreams if as many watches may be.
func (h *Health) healthOnlyStreams() uint32 {
	watches := h.cfg.Server.MaxWatchesPerConn
	if watches < 0 || watches > math.MaxInt32 {
		return math.MaxInt32
	}
	return max(uint32(watches), healthOnlyStreams)
}

// listeners are those of the Config; nil where there is none.
type listeners struct {
	http, grpc net.Listener
}

// open opens all listeners or none, once: a second start would drain what the first one serves.
func (h *Health) open(ctx context.Context) (listeners, error) {
	if h.used.Swap(true) {
		return listeners{}, errUsed
	}
	l, err := h.listen(ctx)
	if err != nil {
		h.used.Store(false) // nothing has started: the caller may try again
	}
	return l, err
}

func (h *Health) listen(ctx context.Context) (listeners, error) {
	var l listeners
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
	l.http = open("HTTPAddr", h.cfg.HTTPAddr)
	l.grpc = open("HealthGRPCAddr", h.cfg.HealthGRPCAddr)
	if err := errors.Join(errs...); err != nil {
		l.close()
		return listeners{}, err
	}
	if l.grpc != nil {
		l.grpc = connlimit.New(l.grpc, healthOnlyConns)
	}
	return l, nil
}

func (l listeners) close() {
	for _, lis := range []net.Listener{l.http, l.grpc} {
		if lis != nil {
			lis.Close()
		}
	}
}

// addressErrors returns an error for each address that is no valid one to listen at, under the name that name gives its
// field.
func (cfg Config) addressErrors(name func(field string) string) error {
	var errs []error
	for _, field := range []struct{ name, addr string }{{"HTTPAddr", cfg.HTTPAddr}, {"HealthGRPCAddr", cfg.HealthGRPCAddr}} {
		if field.addr == "" {
			continue
		}
		if err := validAddress(field.addr); err != nil {
			errs = append(errs, fmt.Errorf(`%s: invalid address %q: want host:port, such as ":8080": %w`, name(field.name), field.addr, err))
		}
	}
	return errors.Join(errs...)
}

func validAddress(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if port == "" {
		return errors.New("no port")
	}
	_, err = new(net.Resolver).LookupPort(context.Background(), "tcp", port) // a number, or the name of a service
	return err
}

// addressVariable returns the environment variable of an address.
func addressVariable(field string) string {
	if field == "HTTPAddr" {
		return httpAddrVariable
	}
	return grpcAddrVariable
}

// addressField returns the name of an address in errors of New and Serve.
func addressField(field string) string {
	return "vitals: " + field + " (" + addressVariable(field) + ")"
}
