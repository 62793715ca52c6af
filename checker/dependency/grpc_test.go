package dependency_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/vitals-go/vitals/checker/dependency"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// serveGRPC serves on loopback until the test ends.
func serveGRPC(t testing.TB, server *grpc.Server) string {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(lis) }()
	t.Cleanup(func() { server.Stop(); <-done })
	return lis.Addr().String()
}

func connect(t testing.TB, addr string, creds credentials.TransportCredentials) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(creds))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestGRPC(t *testing.T) {
	answers := health.NewServer()
	answers.SetServingStatus("shop.v1.Orders", healthpb.HealthCheckResponse_NOT_SERVING)
	answers.SetServingStatus("shop.v1.Stock", healthpb.HealthCheckResponse_UNKNOWN)
	server := grpc.NewServer()
	healthpb.RegisterHealthServer(server, answers)
	conn := connect(t, serveGRPC(t, server), insecure.NewCredentials())
	for _, test := range []struct {
		service string
		want    []string
	}{
		{"", nil},
		{"shop.v1.Orders", []string{"NOT_SERVING for service shop.v1.Orders"}},
		{"shop.v1.Stock", []string{"UNKNOWN for service shop.v1.Stock"}},
		{"Orders", []string{"NotFound", "does not know service Orders: check that it is the full name"}},
	} {
		run := must(dependency.GRPC(dependency.GRPCConfig{Conn: conn, Service: test.service}))
		wantError(t, run(patient(t)), test.want...)
	}
}

func TestGRPCWithoutHealthService(t *testing.T) {
	conn := connect(t, serveGRPC(t, grpc.NewServer()), insecure.NewCredentials())
	strict := must(dependency.GRPC(dependency.GRPCConfig{Conn: conn}))
	wantError(t, strict(patient(t)), "has no health service: register grpc.health.v1.Health")
	lenient := must(dependency.GRPC(dependency.GRPCConfig{Conn: conn, AllowUnimplemented: true}))
	wantError(t, lenient(patient(t)))
}

func TestGRPCExplainsUnavailable(t *testing.T) {
	refuses := grpc.NewServer(grpc.UnaryInterceptor(
		func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
			return nil, status.Error(codes.Unauthenticated, "no token")
		}))
	healthpb.RegisterHealthServer(refuses, health.NewServer())
	plain := serveGRPC(t, refuses)
	for _, test := range []struct {
		name, addr string
		creds      credentials.TransportCredentials
		want       string
	}{
		{"nobody listens", deserted(t), insecure.NewCredentials(), "nothing listens there"},
		{"TLS to a plain server", plain, credentials.NewTLS(nil), "TLS handshake failed"},
		{"no such name", "vitals.invalid:1", insecure.NewCredentials(), "does not resolve"},
		{"no credentials", plain, insecure.NewCredentials(), "requires credentials for health"},
		{"not gRPC", listen(t, func(net.Conn) {}), insecure.NewCredentials(), "check that it is a gRPC server"},
	} {
		t.Run(test.name, func(t *testing.T) {
			run := must(dependency.GRPC(dependency.GRPCConfig{Conn: connect(t, test.addr, test.creds)}))
			wantError(t, run(patient(t)), test.want)
		})
	}
}

func TestGRPCEndsWithItsContext(t *testing.T) {
	stuck := grpc.NewServer(grpc.UnaryInterceptor(
		func(ctx context.Context, _ any, _ *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}))
	healthpb.RegisterHealthServer(stuck, health.NewServer())
	conn := connect(t, serveGRPC(t, stuck), insecure.NewCredentials())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	wantError(t, must(dependency.GRPC(dependency.GRPCConfig{Conn: conn}))(ctx), "did not answer in time")
}

func TestGRPCRequiresConn(t *testing.T) {
	_, err := dependency.GRPC(dependency.GRPCConfig{})
	wantError(t, err, "GRPCConfig.Conn is required")
}
