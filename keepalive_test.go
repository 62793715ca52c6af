package vitals_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals"
)

// TestWatchSurvivesKeepalivePings keeps a connection for four minutes, with the shortest interval of pings that grpc-go's clients allow.
func TestWatchSurvivesKeepalivePings(t *testing.T) {
	strict := grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Minute})
	for name, test := range map[string]struct {
		server func(h *vitals.Health) *grpc.Server
		ends   bool
	}{
		"ServerOptions":      {func(h *vitals.Health) *grpc.Server { return grpc.NewServer(h.ServerOptions()...) }, false},
		"FirstServerOptions": {func(h *vitals.Health) *grpc.Server { return grpc.NewServer(h.FirstServerOptions()...) }, false},
		"PluginServer":       {func(h *vitals.Health) *grpc.Server { return h.PluginServer(nil) }, false},
		"health-only":        {(*vitals.Health).HealthOnlyServer, false},
		"overridden": {func(h *vitals.Health) *grpc.Server {
			return grpc.NewServer(append(h.ServerOptions(), strict)...)
		}, true},
	} {
		for _, watching := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					if lost := losesConnection(t, test.server, watching); lost != test.ends {
						t.Errorf("watching=%v: connection lost = %v, want %v", watching, lost, test.ends)
					}
				})
			})
		}
	}
}

func losesConnection(t *testing.T, newServer func(*vitals.Health) *grpc.Server, watching bool) bool {
	t.Helper()
	h := newHealth(t, vitals.Config{})
	server := newServer(h)
	if _, found := server.GetServiceInfo()[healthpb.Health_ServiceDesc.ServiceName]; !found {
		h.Server().RegisterHealth(server)
	}
	lis := bufconn.Listen(1 << 16)
	served, dials := make(chan error, 1), 0
	go func() { served <- server.Serve(lis) }()
	defer func() { <-served }()
	defer server.Stop()
	conn, err := grpc.NewClient("passthrough:///server", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, PermitWithoutStream: true}),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			dials++
			return lis.DialContext(ctx)
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := healthpb.NewHealthClient(conn)
	if watching {
		if _, err := client.Watch(t.Context(), &healthpb.HealthCheckRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	// The health-only server closes connections without a call after five minutes.
	for range 4 {
		time.Sleep(time.Minute)
		_, _ = client.Check(t.Context(), &healthpb.HealthCheckRequest{}) // fails with the connection
	}
	synctest.Wait()
	return dials > 1
}
