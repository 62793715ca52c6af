package shapes_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/examples/connect/connectvitals"
	"github.com/vitals-go/vitals/internal/e2e/shapes"
	"github.com/vitals-go/vitals/servicer"
)

// serveHTTP serves handler until ctx is done and the calls in flight have ended.
func serveHTTP(ctx context.Context, health *vitals.Health, handler http.Handler, lis net.Listener) error {
	server := &http.Server{Handler: handler, Protocols: new(http.Protocols), ReadHeaderTimeout: 10 * time.Second}
	server.Protocols.SetHTTP2(true)
	server.Protocols.SetUnencryptedHTTP2(true) // for gRPC clients without TLS
	ctx, fail := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() {
		defer fail()
		served <- server.Serve(lis)
	}()
	ran := health.Run(ctx) // until the drain delay is over and watches have ended with UNAVAILABLE
	end, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	stopped := server.Shutdown(end) // waits for the calls in flight
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		stopped = errors.Join(stopped, err)
	}
	return errors.Join(ran, stopped)
}

// behindNetHTTP serves a gRPC server by ServeHTTP.
func behindNetHTTP(wrap func(*grpc.Server) http.Handler) func(*testing.T, *shapes.Fixture) shapes.Served {
	return func(t *testing.T, f *shapes.Fixture) shapes.Served {
		lis, server := shapes.Listen(t), newServer(f)
		f.Health.Register(server)
		return shapes.Run(t, lis.Addr().String(), func(ctx context.Context) error {
			return serveHTTP(ctx, f.Health, wrap(server), lis)
		})
	}
}

func plain(server *grpc.Server) http.Handler { return server }

// besidePages serves pages on the same port.
func besidePages(server *grpc.Server) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			server.ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
	})
}

func behindNetHTTPWithTLS(t *testing.T, f *shapes.Fixture) shapes.Served {
	lis, server := shapes.Listen(t), newServer(f)
	f.Health.Register(server)
	secure := tls.NewListener(lis, &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}, NextProtos: []string{"h2"}})
	trust := grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})) //nolint:gosec // a test
	return shapes.Run(t, lis.Addr().String(), func(ctx context.Context) error {
		return serveHTTP(ctx, f.Health, server, secure)
	}, trust)
}

// drainedBehindNetHTTP passes the gRPC server to Drain.
func drainedBehindNetHTTP(t *testing.T, f *shapes.Fixture) shapes.Served {
	lis, server := shapes.Listen(t), newServer(f)
	f.Health.Register(server)
	pages := &http.Server{Handler: server, Protocols: new(http.Protocols), ReadHeaderTimeout: time.Minute}
	pages.Protocols.SetUnencryptedHTTP2(true)
	return shapes.Run(t, lis.Addr().String(), func(ctx context.Context) error {
		served, ran := make(chan error, 1), make(chan error, 1)
		go func() { served <- pages.Serve(lis) }()
		running, stop := context.WithCancel(context.WithoutCancel(ctx))
		go func() { ran <- f.Health.Run(running) }()
		<-ctx.Done()
		err := f.Health.Server().Drain(context.WithoutCancel(ctx), server)
		stop()
		if err := errors.Join(err, pages.Close()); err != nil { // the calls in flight have ended
			return err
		}
		<-served
		return <-ran
	})
}

// behindConnect serves the service by connect-go.
func behindConnect(t *testing.T, f *shapes.Fixture) shapes.Served {
	lis, mux, options := shapes.Listen(t), http.NewServeMux(), connectvitals.Options(f.Health.Recorder(), f.Logger)
	mux.Handle(unary("UnaryCall", f.Service.UnaryCall, options))
	mux.Handle(unary("EmptyCall", f.Service.EmptyCall, options))
	const method = "/" + shapes.ServiceName + "/StreamingOutputCall"
	mux.Handle(method, connect.NewServerStreamHandler(method, func(
		ctx context.Context, r *connect.Request[testpb.StreamingOutputCallRequest], s *connect.ServerStream[testpb.StreamingOutputCallResponse],
	) error {
		return toConnect(f.Service.StreamingOutputCall(r.Msg, outputStream{stream: s}))
	}, options))
	mux.Handle(connectvitals.NewHandler(f.Health.Server()))
	return shapes.Run(t, lis.Addr().String(), func(ctx context.Context) error { return serveHTTP(ctx, f.Health, mux, lis) })
}

func unary[In, Out any](name string, call func(context.Context, *In) (*Out, error), options connect.HandlerOption) (string, http.Handler) {
	method := "/" + shapes.ServiceName + "/" + name
	return method, connect.NewUnaryHandler(method, func(ctx context.Context, r *connect.Request[In]) (*connect.Response[Out], error) {
		response, err := call(ctx, r.Msg)
		if err != nil {
			return nil, toConnect(err)
		}
		return connect.NewResponse(response), nil
	}, options)
}

func toConnect(err error) error {
	if err == nil {
		return nil
	}
	return connect.NewError(connect.Code(status.Code(err)), err)
}

type outputStream struct {
	grpc.ServerStream

	stream *connect.ServerStream[testpb.StreamingOutputCallResponse]
}

func (s outputStream) Send(m *testpb.StreamingOutputCallResponse) error { return s.stream.Send(m) }

func TestBehindNetHTTP(t *testing.T) {
	known := func(c *vitals.Config) { c.Server = servicer.Config{Services: []string{shapes.ServiceName}} }
	for _, s := range []shapes.Shape{
		{Name: "ServeHTTP", Serve: behindNetHTTP(plain)},
		{Name: "ServeHTTP beside pages", Serve: behindNetHTTP(besidePages)},
		{Name: "ServeHTTP with TLS", Serve: behindNetHTTPWithTLS},
		{Name: "ServeHTTP and Drain", Serve: drainedBehindNetHTTP},
		{Name: "connect-go", Serve: behindConnect},
	} {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			if s.Name == "connect-go" {
				shapes.Test(t, s, known)
				return
			}
			shapes.Test(t, s)
		})
	}
}
