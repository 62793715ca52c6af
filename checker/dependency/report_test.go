package dependency_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/dependency"
	"github.com/vitals-go/vitals/checker/resource"
)

// service runs a server with checks until the test ends.
func service(t *testing.T, change func(*vitals.Config), checks ...checker.Check) (*vitals.Health, *grpc.ClientConn) {
	t.Helper()
	for i := range checks {
		checks[i].Interval, checks[i].Jitter = 20*time.Millisecond, -1
	}
	cfg := vitals.Config{
		Dependencies: checks, Resources: resource.Config{DiskPaths: []string{}}, DrainDelay: -1, ShutdownTimeout: -1,
		Logger: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&cfg)
	}
	h, err := vitals.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error)
	go func() { ended <- h.Serve(ctx, grpc.NewServer(h.ServerOptions()...), lis) }()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	return h, connect(t, lis.Addr().String(), insecure.NewCredentials())
}

// upstream returns a check of the server behind conn.
func upstream(name string, conn *grpc.ClientConn, transitive bool) checker.Check {
	return checker.Check{Name: name, Run: must(dependency.GRPC(dependency.GRPCConfig{Conn: conn, Transitive: transitive}))}
}

// says waits until the message of the check called name is want.
func says(t *testing.T, h *vitals.Health, name, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for s := range h.Checker().Changes(ctx) {
		if r, found := s.Lookup(name); found && r.Message == want {
			return
		}
	}
	r, _ := h.Checker().Snapshot().Lookup(name)
	t.Errorf("got %q (%v), want %q", r.Message, r.Err, want)
}

func TestUpstreamReportsItsCauses(t *testing.T) {
	down := func(context.Context) error { return errors.New("hunter2") }
	stock, toStock := service(t, nil, checker.Check{Name: "database", Run: down}, checker.Check{Name: "carts", Run: down, DependsOn: []string{"database"}})
	says(t, stock, "database", "Dependency database is unavailable")
	prices, toPrices := service(t, nil, upstream("stock", toStock, true))
	orders, toOrders := service(t, nil, upstream("stock", toStock, false), upstream("prices", toPrices, true))

	says(t, prices, "stock", "Dependency stock is unavailable: caused by database error")
	says(t, orders, "stock", "Dependency stock is degraded: caused by database error")
	says(t, orders, "prices", "Dependency prices is unavailable: caused by stock ← database error")
	front, _ := service(t, nil, upstream("orders", toOrders, false))
	says(t, front, "orders", "Dependency orders is degraded: caused by prices ← stock ← database error")

	if err := stock.Server().SetMaintenance("", "a new disk", time.Hour); err != nil {
		t.Fatal(err)
	}
	says(t, orders, "stock", "Dependency stock is unavailable: caused by database error, maintenance: a new disk")
}

// A process that fails itself is no outage of its dependencies.
func TestUpstreamThatFailsItself(t *testing.T) {
	broken, conn := service(t, func(cfg *vitals.Config) {
		cfg.Checks = []checker.Check{{
			Name: "loop", Kind: checker.Process, Gates: []string{checker.Readiness},
			Run: func(context.Context) error { return errors.New("down") },
		}}
	})
	says(t, broken, "loop", "loop is unavailable")
	orders, _ := service(t, nil, upstream("broken", conn, false))
	says(t, orders, "broken", "Dependency broken is unavailable: caused by loop")
}

// Two services that require each other start in any order, and the causes of causes end.
func TestServicesThatCheckEachOtherStart(t *testing.T) {
	for _, gate := range []string{checker.Readiness, checker.Startup} {
		both := func(check checker.Check) checker.Check {
			if gate == checker.Startup {
				check.Gates = []string{checker.Readiness, gate}
			}
			return check
		}
		conn := make(chan *grpc.ClientConn, 1)
		var second *grpc.ClientConn
		first, toFirst := service(t, nil, both(checker.Check{Name: "second", Run: func(ctx context.Context) error {
			if second == nil {
				select {
				case second = <-conn:
				default:
					return errors.New("not there yet")
				}
			}
			return must(dependency.GRPC(dependency.GRPCConfig{Conn: second}))(ctx)
		}}))
		says(t, first, "second", "Dependency second is unavailable")
		other, toSecond := service(t, nil, both(upstream("first", toFirst, false)))
		conn <- toSecond
		says(t, first, "second", "Dependency second is available")
		says(t, other, "first", "Dependency first is available")
	}
}

func TestTransitiveCausesEnd(t *testing.T) {
	conn := make(chan *grpc.ClientConn, 1)
	var second *grpc.ClientConn
	_, toFirst := service(t, nil, checker.Check{Name: "second", Run: func(ctx context.Context) error {
		if second == nil {
			second = <-conn
		}
		return must(dependency.GRPC(dependency.GRPCConfig{Conn: second, Transitive: true}))(ctx)
	}})
	other, toSecond := service(t, nil, upstream("first", toFirst, true))
	conn <- toSecond
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for s := range other.Checker().Changes(ctx) {
		r, _ := s.Lookup("first")
		if n := strings.Count(r.Message, "←"); n > 4 {
			t.Fatalf("%d causes: %s", n, r.Message)
		} else if n == 4 && strings.HasSuffix(r.Message, "…") {
			return
		}
	}
	t.Fatal("no chain of causes")
}
