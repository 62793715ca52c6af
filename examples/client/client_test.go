package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/examples/inventory"
	"github.com/vitals-go/vitals/examples/inventory/sqlstore"
	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
	"github.com/vitals-go/vitals/servicer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTally(t *testing.T) {
	var tally tally
	for i := range 100 {
		tally.add(time.Duration(i+1)*time.Millisecond, nil)
	}
	tally.add(time.Second, status.Error(codes.NotFound, "no"))
	tally.add(time.Second, errors.New("no"))
	tally.skip()
	c := tally.look()
	if got := c.quantile(.5); got != 51*time.Millisecond {
		t.Errorf("p50 %v, want 51ms", got)
	}
	if got := c.quantile(1); got != time.Second {
		t.Errorf("p100 %v, want 1s", got)
	}
	const want = "1 errors (Unknown 1), 1 failed on purpose, 1 not sent: all workers were busy"
	if got := c.errors(); got != want {
		t.Errorf("errors %q, want %q", got, want)
	}
	if again := tally.look(); again.calls != 0 || again.quantile(.5) != 0 {
		t.Errorf("second look %+v, want nothing", again)
	}
	if got := tally.summary(); got != "102 calls, "+want {
		t.Errorf("summary %q", got)
	}
}

func TestOptions(t *testing.T) {
	err := run(t.Context(), options{duration: -1}, nil)
	for _, flag := range []string{"-rps", "-for", "-workers", "-items"} {
		if err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("error %v says nothing about %s", err, flag)
		}
	}
}

// TestRun puts load on a real server for a moment.
func TestRun(t *testing.T) {
	store, err := sqlstore.SQLite(sqlstore.Memory, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	items, err := inventory.New(inventory.Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	health, err := servicer.New(servicer.Config{DrainDelay: -1})
	if err != nil {
		t.Fatal(err)
	}
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	inventoryv1.RegisterInventoryServer(server, items)
	health.RegisterHealth(server)
	ctx, stop := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() { items.Run(ctx) })
	serving.Go(func() { _ = health.Serve(ctx, server, lis) })
	defer serving.Wait()
	defer stop()

	var output bytes.Buffer
	o := options{addr: lis.Addr().String(), rate: 300, duration: 2500 * time.Millisecond, workers: 8, items: 10}
	testdeps.Eventually(t, time.Minute, func() error { // the calls are drawn by lot, and a busy machine draws few
		output.Reset()
		if err := run(t.Context(), o, &output); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"on purpose", "health SERVING", "p99", "watch at", " calls, 0 errors, "} {
			if !strings.Contains(output.String(), part) {
				return fmt.Errorf("the output lacks %q:\n%s", part, output.String())
			}
		}
		return nil
	})
}
