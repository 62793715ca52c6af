package healthclient_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals/servicer"
)

const (
	serving    = healthpb.HealthCheckResponse_SERVING
	notServing = healthpb.HealthCheckResponse_NOT_SERVING
	unknown    = healthpb.HealthCheckResponse_SERVICE_UNKNOWN
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// address is where servers start and stop.
type address struct {
	mu      sync.Mutex
	lis     *bufconn.Listener
	server  *grpc.Server
	serving sync.WaitGroup
}

// start starts a server with the services that register adds.
func (a *address) start(register func(*grpc.Server)) {
	lis, server := bufconn.Listen(1<<16), grpc.NewServer()
	register(server)
	a.mu.Lock()
	a.lis, a.server = lis, server
	a.mu.Unlock()
	a.serving.Go(func() { _ = server.Serve(lis) })
}

func (a *address) startHealth(t *testing.T) *servicer.Server {
	t.Helper()
	s, err := servicer.New(servicer.Config{})
	if err != nil {
		t.Fatal(err)
	}
	a.start(func(server *grpc.Server) { s.RegisterHealth(server) })
	return s
}

func (a *address) stop() {
	a.mu.Lock()
	server := a.server
	a.lis, a.server = nil, nil
	a.mu.Unlock()
	if server != nil {
		server.Stop()
	}
	a.serving.Wait()
}

func (a *address) dial(ctx context.Context, _ string) (net.Conn, error) {
	a.mu.Lock()
	lis := a.lis
	a.mu.Unlock()
	if lis == nil {
		return nil, errors.New("connection refused")
	}
	return lis.DialContext(ctx)
}

// connect returns a connection that reconnects within 10 ms; the caller closes it.
func (a *address) connect(t *testing.T) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///address", grpc.WithContextDialer(a.dial),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 10 * time.Millisecond, MaxDelay: 10 * time.Millisecond}}))
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// script is a health server with a Watch of the test that counts its calls.
type script struct {
	healthpb.UnimplementedHealthServer

	mu    sync.Mutex
	calls []time.Time
	watch func(healthpb.Health_WatchServer) error
}

func (s *script) Watch(_ *healthpb.HealthCheckRequest, stream healthpb.Health_WatchServer) error {
	s.mu.Lock()
	s.calls = append(s.calls, time.Now())
	s.mu.Unlock()
	return s.watch(stream)
}

func (s *script) called() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}
