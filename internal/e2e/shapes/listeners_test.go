package shapes_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/auth"
	"github.com/pires/go-proxyproto"
	"github.com/soheilhy/cmux"
	"golang.org/x/net/netutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/vitals-go/vitals/internal/e2e/shapes"
	"github.com/vitals-go/vitals/servicer"
)

func newServer(f *shapes.Fixture, options ...grpc.ServerOption) *grpc.Server {
	server := grpc.NewServer(append(f.Health.ServerOptions(), options...)...)
	testpb.RegisterTestServiceServer(server, f.Service)
	return server
}

// over serves by Serve on a listener that wrap makes.
func over(wrap func(net.Listener) net.Listener) func(*testing.T, *shapes.Fixture) shapes.Served {
	return func(t *testing.T, f *shapes.Fixture) shapes.Served {
		lis := shapes.Listen(t)
		return shapes.Run(t, lis.Addr().String(), func(ctx context.Context) error {
			return f.Health.Serve(ctx, newServer(f), wrap(lis))
		})
	}
}

func unixSocket(t *testing.T, f *shapes.Fixture) shapes.Served {
	path := filepath.Join(t.TempDir(), "s")
	lis, err := new(net.ListenConfig).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	return shapes.Run(t, "unix:"+path, func(ctx context.Context) error { return f.Health.Serve(ctx, newServer(f), lis) })
}

func overTLS(t *testing.T, f *shapes.Fixture) shapes.Served {
	lis := shapes.Listen(t)
	secure := grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{selfSigned(t)}}))
	trust := grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})) //nolint:gosec // a test
	return shapes.Run(t, lis.Addr().String(), func(ctx context.Context) error {
		return f.Health.Serve(ctx, newServer(f, secure), lis)
	}, trust)
}

// proxyProtocol has a client that sends the header of a proxy.
func proxyProtocol(t *testing.T, f *shapes.Fixture) shapes.Served {
	served := over(func(lis net.Listener) net.Listener { return &proxyproto.Listener{Listener: lis} })(t, f)
	served.Options = []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
			if err != nil {
				return nil, err
			}
			client := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1234}
			_, err = proxyproto.HeaderProxyFromAddrs(2, client, conn.RemoteAddr()).WriteTo(conn)
			return conn, err
		}),
	}
	return served
}

// shop stands for the generated code of an application.
var shop generated

type generated struct{}

func (generated) RegisterOrdersServer(server grpc.ServiceRegistrar, service testpb.TestServiceServer) {
	testpb.RegisterTestServiceServer(server, service)
}

func (generated) RegisterAdminServer(server grpc.ServiceRegistrar, service testpb.ReconnectServiceServer) {
	testpb.RegisterReconnectServiceServer(server, service)
}

// behindCmux shares a port with HTTP.
func behindCmux(t *testing.T, f *shapes.Fixture) shapes.Served {
	health, orders, lis, pages := f.Health, f.Service, shapes.Listen(t), &http.Server{ReadHeaderTimeout: time.Minute}
	return shapes.Run(t, lis.Addr().String(), func(ctx context.Context) error {
		server := grpc.NewServer(health.ServerOptions()...)
		shop.RegisterOrdersServer(server, orders)
		mux := cmux.New(lis)
		calls := mux.MatchWithWriters(cmux.HTTP2MatchHeaderFieldSendSettings("content-type", "application/grpc"))
		rest := mux.Match(cmux.Any())
		go pages.Serve(rest)
		go mux.Serve()
		defer pages.Close()
		return health.Serve(ctx, server, calls)
	})
}

// twoServers serves the service on one server and another one beside it.
func twoServers(t *testing.T, f *shapes.Fixture) shapes.Served {
	health, orders, admin := f.Health, f.Service, testpb.UnimplementedReconnectServiceServer{}
	publicLis, internalLis := shapes.Listen(t), shapes.Listen(t)
	return shapes.Run(t, publicLis.Addr().String(), func(ctx context.Context) error {
		public := grpc.NewServer(health.ServerOptions()...)
		shop.RegisterOrdersServer(public, orders)
		internal := grpc.NewServer(health.ServerOptions()...)
		shop.RegisterAdminServer(internal, admin)
		return health.ServeAll(ctx,
			servicer.Endpoint{Server: public, Listener: publicLis},
			servicer.Endpoint{Server: internal, Listener: internalLis},
		)
	})
}

// servedElsewhere calls server.Serve itself.
func servedElsewhere(t *testing.T, f *shapes.Fixture) shapes.Served {
	health, orders, lis := f.Health, f.Service, shapes.Listen(t)
	return shapes.Run(t, lis.Addr().String(), func(ctx context.Context) error {
		server := grpc.NewServer(health.ServerOptions()...)
		shop.RegisterOrdersServer(server, orders)
		health.Register(server)
		served := make(chan error, 1)
		go func() { served <- server.Serve(lis) }()
		err := health.Run(ctx) // drains when ctx is done
		server.GracefulStop()
		return errors.Join(err, <-served)
	})
}

// twoServedElsewhere registers each of two servers.
func twoServedElsewhere(t *testing.T, f *shapes.Fixture) shapes.Served {
	other := grpc.NewServer(f.Health.ServerOptions()...)
	shop.RegisterAdminServer(other, testpb.UnimplementedReconnectServiceServer{})
	f.Health.Register(other)
	return servedElsewhere(t, f)
}

// mutualTLS requires client certificates.
func mutualTLS(t *testing.T, f *shapes.Fixture) shapes.Served {
	lis, certificates := shapes.Listen(t), []tls.Certificate{selfSigned(t)}
	secure := grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: certificates, ClientAuth: tls.RequireAnyClientCert}))
	trust := &tls.Config{Certificates: certificates, InsecureSkipVerify: true} //nolint:gosec // a test
	return shapes.Run(t, lis.Addr().String(), func(ctx context.Context) error {
		return f.Health.Serve(ctx, newServer(f, secure), lis)
	}, grpc.WithTransportCredentials(credentials.NewTLS(trust)))
}

// withFramework serves elsewhere, beside a health service of a framework that is registered before or after Register.
func withFramework(before bool) func(*testing.T, *shapes.Fixture) shapes.Served {
	return func(t *testing.T, f *shapes.Fixture) shapes.Served {
		server, lis := newServer(f), shapes.Listen(t)
		if before {
			healthpb.RegisterHealthServer(server, health.NewServer())
			f.Health.Register(server)
		} else {
			f.Health.RegisterWithoutHealth(server)
			healthpb.RegisterHealthServer(server, health.NewServer())
		}
		return shapes.Run(t, lis.Addr().String(), func(ctx context.Context) error {
			served := make(chan error, 1)
			go func() { served <- server.Serve(lis) }()
			err := f.Health.Run(ctx)
			server.GracefulStop()
			return errors.Join(err, <-served)
		})
	}
}

// behindAuth has interceptors before those of vitals, which reject calls without a token and would reject probes.
func behindAuth(t *testing.T, f *shapes.Fixture) shapes.Served {
	lis := shapes.Listen(t)
	server := grpc.NewServer(append([]grpc.ServerOption{
		grpc.ChainUnaryInterceptor(auth.UnaryServerInterceptor(checkToken)),
		grpc.ChainStreamInterceptor(auth.StreamServerInterceptor(checkToken)),
	}, f.Health.FirstServerOptions()...)...)
	testpb.RegisterTestServiceServer(server, f.Service)
	return shapes.Run(t, lis.Addr().String(), func(ctx context.Context) error { return f.Health.Serve(ctx, server, lis) })
}

func TestListenersAndServers(t *testing.T) {
	for _, s := range []shapes.Shape{
		{Name: "client certificates", Serve: mutualTLS},
		{Name: "framework before", Serve: withFramework(true)},
		{Name: "framework afterwards", Serve: withFramework(false)},
		{Name: "FirstServerOptions", Serve: behindAuth},
		{Name: "Serve", Serve: over(func(lis net.Listener) net.Listener { return lis })},
		{Name: "Unix socket", Serve: unixSocket},
		{Name: "TLS", Serve: overTLS},
		{Name: "LimitListener", Serve: over(func(lis net.Listener) net.Listener { return netutil.LimitListener(lis, 100) })},
		{Name: "PROXY protocol", Serve: proxyProtocol},
		{Name: "cmux", Serve: behindCmux},
		{Name: "two servers", Serve: twoServers},
		{Name: "served elsewhere", Serve: servedElsewhere},
		{Name: "two served elsewhere", Serve: twoServedElsewhere},
	} {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			shapes.Test(t, s)
		})
	}
}

// TestSilentPeerIsNoCallInFlight connects a peer that sends nothing, on listeners of several kinds.
func TestSilentPeerIsNoCallInFlight(t *testing.T) {
	for name, wrap := range map[string]func(net.Listener) net.Listener{
		"plain":          func(lis net.Listener) net.Listener { return lis },
		"LimitListener":  func(lis net.Listener) net.Listener { return netutil.LimitListener(lis, 100) },
		"PROXY protocol": func(lis net.Listener) net.Listener { return &proxyproto.Listener{Listener: lis} },
		"both": func(lis net.Listener) net.Listener {
			return &proxyproto.Listener{Listener: netutil.LimitListener(lis, 100), ReadHeaderTimeout: time.Hour}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := shapes.New(t)
			served := over(wrap)(t, f)
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", served.Target)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := served.Stop(); err != nil {
				t.Errorf("Serve: %v", err)
			}
		})
	}
}
