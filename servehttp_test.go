package vitals_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/servicer"
)

// slow is a service whose calls last until they are released or canceled.
type slow struct {
	testpb.UnimplementedTestServiceServer

	began, release chan struct{}
}

func (s *slow) EmptyCall(ctx context.Context, _ *testpb.Empty) (*testpb.Empty, error) {
	select {
	case s.began <- struct{}{}:
	default:
	}
	select {
	case <-s.release:
		return &testpb.Empty{}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// behindHTTP is a gRPC server that an http.Server serves.
type behindHTTP struct {
	*vitals.Health
	*slow

	grpc *grpc.Server
	http *http.Server
	conn *grpc.ClientConn
}

func serveHTTP(t *testing.T, cfg vitals.Config) *behindHTTP {
	t.Helper()
	health, err := vitals.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	b := startHTTP(t, func(server *grpc.Server) { health.Register(server) }, health.ServerOptions()...)
	b.Health = health
	return b
}

func startHTTP(t *testing.T, register func(*grpc.Server), options ...grpc.ServerOption) *behindHTTP {
	t.Helper()
	b := &behindHTTP{slow: &slow{began: make(chan struct{}, 1), release: make(chan struct{})}, grpc: grpc.NewServer(options...)}
	testpb.RegisterTestServiceServer(b.grpc, b.slow)
	register(b.grpc)
	b.http = &http.Server{Handler: b.grpc, Protocols: new(http.Protocols), ReadHeaderTimeout: time.Minute}
	b.http.Protocols.SetUnencryptedHTTP2(true)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- b.http.Serve(lis) }()
	t.Cleanup(func() {
		_ = b.http.Close()
		<-served
	})
	b.conn = dial(t, lis.Addr().String())
	return b
}

func (b *behindHTTP) call(ctx context.Context) error {
	_, err := testpb.NewTestServiceClient(b.conn).EmptyCall(ctx, &testpb.Empty{})
	return err
}

func TestDrainBehindHTTPWaitsForCallsAndEndsWatches(t *testing.T) {
	b := serveHTTP(t, vitals.Config{DrainDelay: -1})
	watch, err := healthpb.NewHealthClient(b.conn).Watch(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if first, err := watch.Recv(); err != nil || first.Status != healthpb.HealthCheckResponse_SERVING {
		t.Fatal(first, err)
	}
	called, drained := make(chan error, 1), make(chan error, 1)
	go func() { called <- b.call(t.Context()) }()
	<-b.began
	go func() { drained <- b.Server().Drain(t.Context(), b.grpc) }()
	if last, err := watch.Recv(); err != nil || last.Status != healthpb.HealthCheckResponse_NOT_SERVING {
		t.Errorf("the watch receives %v, %v, want NOT_SERVING", last, err)
	}
	if _, err := watch.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("the watch ends with %v, want UNAVAILABLE", err)
	}
	time.Sleep(100 * time.Millisecond)
	select {
	case err := <-drained:
		t.Errorf("Drain has returned %v during a call", err)
	default:
	}
	close(b.release)
	if err := <-called; err != nil {
		t.Errorf("the call in flight: %v", err)
	}
	if err := <-drained; err != nil {
		t.Errorf("Drain: %v", err)
	}
	if err := b.call(t.Context()); err != nil {
		t.Errorf("a call before the end of the http.Server: %v", err)
	}
	if err := b.http.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// Without a recorder Drain knows from health calls that the server is behind net/http, and leaves the calls to it.
func TestDrainBehindHTTPWithoutRecorderCancelsNoCall(t *testing.T) {
	s, err := servicer.New(servicer.Config{DrainDelay: -1})
	if err != nil {
		t.Fatal(err)
	}
	b := startHTTP(t, func(server *grpc.Server) { s.Register(server) })
	check(t, b.conn, "", healthpb.HealthCheckResponse_SERVING)
	called := make(chan error, 1)
	go func() { called <- b.call(t.Context()) }()
	<-b.began
	if err := s.Drain(t.Context(), b.grpc); err != nil {
		t.Errorf("Drain: %v", err)
	}
	close(b.release)
	if err := errors.Join(<-called, b.http.Shutdown(t.Context())); err != nil {
		t.Errorf("the call in flight: %v", err)
	}
}

func TestDrainBehindHTTPReportsCallsThatDoNotEnd(t *testing.T) {
	b := serveHTTP(t, vitals.Config{DrainDelay: -1, ShutdownTimeout: time.Second})
	called := make(chan error, 1)
	go func() { called <- b.call(t.Context()) }()
	<-b.began
	if err := b.Server().Drain(t.Context(), b.grpc); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Drain returns %v, want that a call was cut off", err)
	}
	if err := <-called; err == nil {
		t.Error("the call that was cut off has succeeded")
	}
}

// TestServerBehindHTTPLosesNoCall runs the recipe of docs/your-server.md while clients call.
func TestServerBehindHTTPLosesNoCall(t *testing.T) {
	b := serveHTTP(t, vitals.Config{DrainDelay: 200 * time.Millisecond})
	close(b.release)
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() {
		err := b.Run(ctx)
		ran <- errors.Join(err, b.http.Shutdown(context.Background()))
	}()
	watch, err := healthpb.NewHealthClient(b.conn).Watch(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var callers sync.WaitGroup
	var calls atomic.Int64
	notServing := make(chan struct{})
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-notServing:
					return
				default:
				}
				if err := b.call(t.Context()); err != nil {
					t.Errorf("call: %v", err)
				}
				calls.Add(1)
			}
		})
	}
	for calls.Load() < 100 {
		time.Sleep(time.Millisecond)
	}
	stop()
	for state := (*healthpb.HealthCheckResponse)(nil); state.GetStatus() != healthpb.HealthCheckResponse_NOT_SERVING; {
		if state, err = watch.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	close(notServing) // clients that watch leave now
	callers.Wait()
	if _, err := watch.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("the watch ends with %v, want UNAVAILABLE", err)
	}
	if err := <-ran; err != nil {
		t.Error(err)
	}
}
