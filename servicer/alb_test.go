package servicer_test

import (
	"context"
	"testing"
	"testing/synctest"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/vitals-go/vitals/servicer"
)

func TestALBHealthCheckReturnsCode(t *testing.T) {
	deny := func(_ context.Context, _ any, _ *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
		return nil, status.Error(codes.Unauthenticated, "who are you?")
	}
	for name, interceptors := range map[string]func(*servicer.Server) []grpc.UnaryServerInterceptor{
		"without interceptors": func(*servicer.Server) []grpc.UnaryServerInterceptor { return nil },
		"before an interceptor that asks for credentials": func(s *servicer.Server) []grpc.UnaryServerInterceptor {
			return []grpc.UnaryServerInterceptor{s.UnaryHealthInterceptor, deny}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, l := newServer(t, servicer.Config{}), overMemory(t)
				server := l.newServer(grpc.ChainUnaryInterceptor(interceptors(s)...))
				s.RegisterALB(server)
				go func() { _ = server.Serve(l.lis) }()
				defer server.Stop()
				client := l.dial(t)
				defer client.Close()
				for _, test := range []struct {
					status servingStatus
					want   codes.Code
				}{{serving, codes.OK}, {notServing, codes.Unavailable}, {serving, codes.OK}} {
					s.SetServingStatus("", test.status)
					// The request may be anything: the balancer has no proto either.
					err := client.Invoke(t.Context(), "/AWS.ALB/healthcheck", &healthpb.HealthCheckRequest{Service: "x"}, new(emptypb.Empty))
					if status.Code(err) != test.want {
						t.Errorf("while %v: %v, want %v", test.status, err, test.want)
					}
				}
			})
		})
	}
}
