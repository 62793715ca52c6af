package servicer_test

import (
	"context"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // client-side health checking
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals/internal/freeport"
	"github.com/vitals-go/vitals/servicer"
)

const healthyRoundRobin = `{"loadBalancingConfig":[{"round_robin":{}}],"healthCheckConfig":{"serviceName":"` + shopService + `"}}`

// fleet is servers by address, that come and go, and a client that balances over them by their health.
type fleet struct {
	mu     sync.Mutex
	memory map[string]*bufconn.Listener
	client *grpc.ClientConn
	load   atomic.Int64
	lost   atomic.Int64
}

// listen opens address again: in memory if the fleet has any, else over TCP.
func (f *fleet) listen(t *testing.T, address string) net.Listener {
	t.Helper()
	if f.memory == nil {
		return listen(t, "tcp", address)
	}
	lis := bufconn.Listen(1 << 16)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.memory[address] = lis
	return lis
}

func (f *fleet) dial(ctx context.Context, address string) (net.Conn, error) {
	f.mu.Lock()
	lis := f.memory[address]
	f.mu.Unlock()
	if lis == nil {
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}
	return lis.DialContext(ctx)
}

func (f *fleet) connect(t *testing.T, addresses ...string) {
	t.Helper()
	names := manual.NewBuilderWithScheme("fleet")
	var state resolver.State
	for _, address := range addresses {
		state.Addresses = append(state.Addresses, resolver.Address{Addr: address})
	}
	names.InitialState(state)
	client, err := grpc.NewClient("fleet:///", grpc.WithResolvers(names), grpc.WithContextDialer(f.dial),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 10 * time.Millisecond, MaxDelay: 10 * time.Millisecond}}),
		grpc.WithDefaultServiceConfig(healthyRoundRobin), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	f.client = client
}

// call calls every pause until ctx ends, and counts what is lost. Calls do not wait for a connection.
func (f *fleet) call(t *testing.T, ctx context.Context, pause time.Duration) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		f.load.Add(1)
		if err := get(t.Context(), f.client, "3ms"); err != nil && f.lost.Add(1) < 5 {
			t.Errorf("lost: %v", err)
		}
	}
}

// run drains and restarts one of two servers after the other while callers call.
func (f *fleet) run(t *testing.T, addresses [2]string, cfg servicer.Config, times, callers int, pause time.Duration) {
	start := func(address string) *served {
		return serve(t, link{lis: f.listen(t, address), server: insecure.NewCredentials()}, cfg)
	}
	servers := [2]*served{start(addresses[0]), start(addresses[1])}
	f.connect(t, addresses[:]...)
	defer f.client.Close()
	f.await(t, servers)
	ctx, quiet := context.WithCancel(t.Context())
	var load sync.WaitGroup
	for range callers {
		load.Go(func() { f.call(t, ctx, pause) })
	}
	for n := range times {
		old := servers[n%2]
		old.end()
		if err := <-old.result; err != nil {
			t.Errorf("drain %d: %v", n, err)
		}
		servers[n%2] = start(addresses[n%2])
		f.await(t, servers)
	}
	quiet()
	load.Wait()
	for _, s := range servers {
		s.end()
		if err := <-s.result; err != nil {
			t.Error(err)
		}
	}
	if f.load.Load() == 0 || f.lost.Load() > 0 {
		t.Errorf("%d of %d calls were lost", f.lost.Load(), f.load.Load())
	}
}

// await calls until both servers have answered.
func (f *fleet) await(t *testing.T, servers [2]*served) {
	t.Helper()
	for servers[0].shop.calls.Load() == 0 || servers[1].shop.calls.Load() == 0 {
		request, response := new(healthpb.HealthCheckRequest), new(healthpb.HealthCheckResponse)
		request.Service = "1ms"
		if err := f.client.Invoke(t.Context(), shopGet, request, response, grpc.WaitForReady(true)); err != nil {
			t.Errorf("lost while waiting: %v", err)
			return
		}
	}
}

func TestClientLosesNoCallWhileServersDrainAndRestart(t *testing.T) {
	t.Run("virtual time, default delays", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := &fleet{memory: make(map[string]*bufconn.Listener)}
			f.run(t, [2]string{"one", "two"}, servicer.Config{}, 20, 4, 100*time.Millisecond)
		})
	})
	t.Run("tcp, short delays", func(t *testing.T) {
		var addresses [2]string
		for i := range addresses {
			port, err := freeport.Take(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			addresses[i] = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		}
		cfg := servicer.Config{DrainDelay: 100 * time.Millisecond, ShutdownTimeout: 10 * time.Second}
		f := new(fleet)
		f.run(t, addresses, cfg, 20, 8, time.Millisecond)
		t.Logf("%d calls", f.load.Load())
	})
}
