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

// place is an address at which servers come and go.
type place struct {
	mu      sync.Mutex
	lis     *bufconn.Listener
	server  *grpc.Server
	serving sync.WaitGroup
}

// start serves what register registers.
func (p *place) start(register func(*grpc.Server)) {
	lis, server := bufconn.Listen(1<<16), grpc.NewServer()
	register(server)
	p.mu.Lock()
	p.lis, p.server = lis, server
	p.mu.Unlock()
	p.serving.Go(func() { _ = server.Serve(lis) })
}

func (p *place) startHealth(t *testing.T) *servicer.Server {
	t.Helper()
	s, err := servicer.New(servicer.Config{})
	if err != nil {
		t.Fatal(err)
	}
	p.start(func(server *grpc.Server) { s.RegisterHealth(server) })
	return s
}

func (p *place) stop() {
	p.mu.Lock()
	server := p.server
	p.lis, p.server = nil, nil
	p.mu.Unlock()
	if server != nil {
		server.Stop()
	}
	p.serving.Wait()
}

func (p *place) dial(ctx context.Context, _ string) (net.Conn, error) {
	p.mu.Lock()
	lis := p.lis
	p.mu.Unlock()
	if lis == nil {
		return nil, errors.New("connection refused")
	}
	return lis.DialContext(ctx)
}

// connect returns a connection that comes back within 10 ms; the caller closes it.
func (p *place) connect(t *testing.T) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///place", grpc.WithContextDialer(p.dial),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 10 * time.Millisecond, MaxDelay: 10 * time.Millisecond}}))
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// script is a health server whose Watch does what the test says; it counts how often it is called.
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
