package faults

import (
	"context"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/interop"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/stats"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/grpcbreaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/dependency"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// counter counts calls of users apart from those of checks.
type counter struct{ users, probes atomic.Int64 }

func (c *counter) add(method string) {
	if strings.HasPrefix(method, "/grpc.health.v1.") {
		c.probes.Add(1)
	} else {
		c.users.Add(1)
	}
}

// sent is a stats handler that counts the calls which a client lets out: it stands behind the breaker.
type sent struct{ counter }

func (s *sent) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	s.add(info.FullMethodName)
	return ctx
}
func (*sent) HandleRPC(context.Context, stats.RPCStats)                         {}
func (*sent) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (*sent) HandleConn(context.Context, stats.ConnStats)                       {}

// chain is a server whose dependency "upstream" is another gRPC server behind a proxy that can misbehave.
type chain struct {
	t        *testing.T
	proxy    *toxiproxy.Proxy
	breaker  *breaker.Breaker
	received counter // what has come through to the upstream
	sent     sent
	users    testpb.TestServiceClient
	report   vitalspb.HealthReportServiceClient
	health   healthpb.HealthClient
}

// serve serves on a port of its own until the test ends.
func serve(t *testing.T, server *grpc.Server) (addr string) {
	t.Helper()
	lis, err := testdeps.Listen(t, testdeps.Port(t))
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(lis) })
	t.Cleanup(func() { server.Stop(); serving.Wait() })
	return lis.Addr().String()
}

func dial(t *testing.T, addr string, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	retry := grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1, MaxDelay: 50 * time.Millisecond}, MinConnectTimeout: time.Second}
	conn, err := grpc.NewClient(addr, append(options,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithConnectParams(retry))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func newChain(t *testing.T) *chain {
	t.Helper()
	c := &chain{t: t}
	upstream := grpc.NewServer(grpc.UnaryInterceptor(func(
		ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
	) (any, error) {
		c.received.add(info.FullMethod)
		return handler(ctx, request)
	}))
	testpb.RegisterTestServiceServer(upstream, interop.NewTestServer())
	healthpb.RegisterHealthServer(upstream, health.NewServer())
	toxic := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.New(io.Discard))
	c.proxy = toxiproxy.NewProxy(toxic, "upstream", testdeps.Addr(testdeps.Port(t)), serve(t, upstream))
	if err := c.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.proxy.Stop)
	c.guard()
	return c
}

const (
	probeTime = 500 * time.Millisecond
	slowCall  = 400 * time.Millisecond
	slowCalls = 10
)

// guard puts the breaker around the client, lets the check probe through it, and reports on both.
func (c *chain) guard() {
	t := c.t
	b, err := breaker.New(breaker.Config{
		Name: "upstream", SlowCall: slowCall, MinCalls: slowCalls, ProbeOnly: true, MaxCallTime: probeTime,
		OpenTime: 250 * time.Millisecond, MaxOpenTime: 250 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	guard, err := grpcbreaker.New(grpcbreaker.Config{Breaker: b})
	if err != nil {
		t.Fatal(err)
	}
	c.breaker = b
	conn := dial(t, c.proxy.Listen, append(guard.DialOptions(), grpc.WithStatsHandler(&c.sent))...)
	c.users = testpb.NewTestServiceClient(conn)
	ask, err := dependency.GRPC(dependency.GRPCConfig{Conn: conn})
	if err != nil {
		t.Fatal(err)
	}
	checks, err := checker.New(checker.Config{Checks: []checker.Check{{
		Name: "upstream", Run: b.Check(ask), Interval: 200 * time.Millisecond, FailingInterval: 50 * time.Millisecond, Timeout: probeTime,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	judge, err := servicer.New(servicer.Config{Checker: checks, Breakers: []breaker.SnapshotSource{b}})
	if err != nil {
		t.Fatal(err)
	}
	front := grpc.NewServer()
	judge.Register(front)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = checks.Run(ctx) })
	running.Go(func() { _ = judge.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	own := dial(t, serve(t, front))
	c.report, c.health = vitalspb.NewHealthReportServiceClient(own), healthpb.NewHealthClient(own)
}

// toxic returns how to poison what the upstream answers, and how to stop that.
func (c *chain) toxic(kind, attributes string) (begin, end func()) {
	return func() {
			text := `{"name": "fault", "type": "` + kind + `", "stream": "downstream", "attributes": ` + attributes + `}`
			if _, err := c.proxy.Toxics.AddToxicJson(strings.NewReader(text)); err != nil {
				c.t.Fatal(err)
			}
		}, func() {
			if err := c.proxy.Toxics.RemoveToxic(context.Background(), "fault"); err != nil {
				c.t.Fatal(err)
			}
		}
}
