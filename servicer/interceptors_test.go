package servicer_test

import (
	"context"
	"testing"
	"testing/synctest"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/servicer"
)

// pluginServer is a server as go-plugin creates it, with a health service of its own.
func pluginServer(l link, s *servicer.Server) *grpc.Server {
	theirs := health.NewServer()
	theirs.SetServingStatus("plugin", serving)
	server := l.newServer(grpc.ChainUnaryInterceptor(s.UnaryHealthInterceptor), grpc.ChainStreamInterceptor(s.StreamHealthInterceptor))
	healthpb.RegisterHealthServer(server, theirs)
	server.RegisterService(&shopDesc, new(shop))
	return server
}

func TestHealthInterceptorsReplaceRegisteredHealthService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := newServer(t, servicer.Config{}), overMemory(t)
		server := pluginServer(l, s)
		ctx := t.Context()
		life, end := context.WithCancel(ctx)
		result := make(chan error, 1)
		defer func() { end(); <-result }()
		go func() { result <- s.Serve(life, server, l.lis) }()
		client := l.dial(t)
		defer client.Close()
		probe := healthpb.NewHealthClient(client)
		synctest.Wait()

		if _, err := probe.Check(ctx, &healthpb.HealthCheckRequest{Service: "plugin"}); status.Code(err) != codes.NotFound {
			t.Errorf("a name that only the registered service knows: %v, want NOT_FOUND", err)
		}
		s.SetServingStatus("plugin", serving)
		expectCheck(t, ctx, client, "plugin", serving)
		s.SetServingStatus("plugin", notServing) // grpc-go's still says SERVING
		expectCheck(t, ctx, client, "plugin", notServing)
		list, err := probe.List(ctx, &healthpb.HealthListRequest{})
		if err != nil || list.Statuses["plugin"].GetStatus() != notServing || list.Statuses[shopService].GetStatus() != serving {
			t.Errorf("List = %v, %v", list.GetStatuses(), err)
		}
		stream := watch(t, ctx, client, "plugin")
		expectStatus(t, stream, notServing)
		s.SetServingStatus("plugin", serving)
		expectStatus(t, stream, serving)

		if err := get(ctx, client, "now"); err != nil {
			t.Errorf("a call of another service does not pass: %v", err)
		}
		follow, err := client.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/shop.v1.Orders/Follow")
		if err != nil {
			t.Fatal(err)
		}
		if err := follow.SendMsg(&healthpb.HealthCheckRequest{}); err != nil {
			t.Fatal(err)
		}
		if err := follow.RecvMsg(new(healthpb.HealthCheckResponse)); status.Code(err) != codes.OK && err.Error() != "EOF" {
			t.Errorf("a stream of another service does not pass: %v", err)
		}

		end()
		expectStatus(t, stream, notServing)
		expectEnd(t, stream, codes.Unavailable)
		err = <-result
		if result <- err; err != nil {
			t.Error(err)
		}
	})
}

func TestHealthInterceptorPassesForeignRequestTypes(t *testing.T) {
	s := newServer(t, servicer.Config{})
	reached := 0
	handler := func(context.Context, any) (any, error) { reached++; return nil, nil }
	for _, method := range []string{"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/List", "/grpc.health.v1.Health/Other", "/shop.v1.Orders/Get"} {
		if _, err := s.UnaryHealthInterceptor(t.Context(), "not a request of grpc-go's", &grpc.UnaryServerInfo{FullMethod: method}, handler); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	if reached != 4 {
		t.Errorf("the handler was reached %d times, want 4", reached)
	}
}

func TestHealthInterceptorReturnsUntypedNil(t *testing.T) {
	s := newServer(t, servicer.Config{})
	info := &grpc.UnaryServerInfo{FullMethod: "/grpc.health.v1.Health/Check"}
	response, err := s.UnaryHealthInterceptor(t.Context(), &healthpb.HealthCheckRequest{Service: "nobody"}, info, nil)
	if response != nil || status.Code(err) != codes.NotFound {
		t.Errorf("UnaryAnswer = %v, %v; want nil, NOT_FOUND", response, err)
	}
}
