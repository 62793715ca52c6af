package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/health" // Client-side health checking.
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
	"github.com/vitals-go/vitals/internal/e2e/oracle"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

const (
	rounds  = 20
	workers = 8
	seed    = 20261122
	drain   = "PLUGIN_HEALTH_DRAIN_DELAY=150ms"
)

// users call through gRPC's client-side health checking, each as fast as it is answered.
type users struct {
	items inventoryv1.InventoryClient
	calls atomic.Int64
	// by counts what each server has answered, by address.
	by sync.Map // string → *atomic.Int64

	mu   sync.Mutex // guards lost
	lost []error
}

// TestRestartsLoseNothing ends two servers in turn by SIGTERM, at random moments under load, and starts them again. As
// long as one of them serves, no call may fail.
func TestRestartsLoseNothing(t *testing.T) {
	servers := [2]*process{startServer(t, drain), startServer(t, drain)}
	for _, s := range servers {
		s.becomes(oracle.Service, serving)
	}
	u := newUsers(t, servers[0].Addr, servers[1].Addr)
	ctx, cancel := context.WithCancel(t.Context())
	var calling sync.WaitGroup
	for range workers {
		calling.Go(func() { u.run(ctx) })
	}
	stop := func() { cancel(); calling.Wait() }
	defer stop()

	random := rand.New(rand.NewPCG(seed, 0))
	for round := range rounds {
		s := servers[round%2]
		for _, other := range servers { // Neither is ended before the users have found both.
			u.reach(t, other.Addr)
		}
		moment := time.NewTimer(time.Duration(random.Int64N(int64(50 * time.Millisecond))))
		<-moment.C
		s.Signal(syscall.SIGTERM)
		if code := s.Wait(patience); code != 0 {
			t.Fatalf("round %d: exit code %d, want 0", round, code)
		}
		s.start()
	}
	stop()
	t.Logf("%d calls", u.calls.Load())
	for _, err := range u.lost {
		t.Errorf("a call was lost: %v", err)
	}
}

func newUsers(t *testing.T, addrs ...string) *users {
	t.Helper()
	list := manual.NewBuilderWithScheme("servers")
	state := resolver.State{}
	for _, addr := range addrs {
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: addr}}})
	}
	list.InitialState(state)
	conn := dial(t, "servers:///inventory", grpc.WithResolvers(list), grpc.WithDefaultServiceConfig(
		`{"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": "`+oracle.Service+`"}}`))
	return &users{items: inventoryv1.NewInventoryClient(conn)}
}

func (u *users) run(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		var (
			from peer.Peer
			err  error
		)
		if n%4 == 0 {
			item := &inventoryv1.Item{Sku: fmt.Sprintf("item-%d", n%100), Name: "Any", Quantity: 1}
			_, err = u.items.Put(ctx, &inventoryv1.PutRequest{Item: item}, grpc.Peer(&from))
		} else {
			_, err = u.items.List(ctx, &inventoryv1.ListRequest{PageSize: 10}, grpc.Peer(&from))
		}
		if status.Code(err) == codes.Canceled && ctx.Err() != nil {
			return
		}
		u.calls.Add(1)
		if err != nil {
			u.mu.Lock()
			u.lost = append(u.lost, fmt.Errorf("%w (from %v)", err, from.Addr))
			u.mu.Unlock()
			continue
		}
		count, _ := u.by.LoadOrStore(from.Addr.String(), new(atomic.Int64))
		count.(*atomic.Int64).Add(1)
	}
}

// reach waits until the server at addr has answered another call.
func (u *users) reach(t *testing.T, addr string) {
	t.Helper()
	answered := func() int64 {
		count, ok := u.by.Load(addr)
		if !ok {
			return 0
		}
		return count.(*atomic.Int64).Load()
	}
	before := answered()
	testdeps.Eventually(t, patience, func() error {
		if answered() == before {
			return fmt.Errorf("nobody reaches %s", addr)
		}
		return nil
	})
}
