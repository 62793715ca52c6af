package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
)

// service is what the servers serve: gRPC's own test service.
const service = "grpc.testing.TestService"

// The servers detect failures and drain quickly, to keep the demonstration short.
const (
	checkInterval = 100 * time.Millisecond
	drainDelay    = 300 * time.Millisecond
)

// fleet is servers of the same service.
type fleet struct {
	network network
	members []*member
}

// startFleet starts one server for each name.
func startFleet(ctx context.Context, n network, names ...string) (*fleet, error) {
	f := &fleet{network: n}
	for _, name := range names {
		m := &member{name: name, network: n, ctx: ctx}
		if err := m.start(); err != nil {
			f.stop()
			return nil, err
		}
		f.members = append(f.members, m)
	}
	return f, nil
}

// stop drains all servers together and returns when they have gone.
func (f *fleet) stop() {
	var stopping sync.WaitGroup
	for _, m := range f.members {
		stopping.Go(m.stop)
	}
	stopping.Wait()
}

// member is one server. Its methods are for one goroutine.
type member struct {
	testpb.UnimplementedTestServiceServer

	name    string
	broken  atomic.Bool // the dependency does not respond
	slow    atomic.Bool // the optional dependency does not respond
	network network
	ctx     context.Context
	address string
	end     context.CancelFunc
	ended   sync.WaitGroup
}

// UnaryCall returns the name of the server.
func (m *member) UnaryCall(context.Context, *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	return &testpb.SimpleResponse{ServerId: m.name}, nil
}

func (m *member) start() error {
	health, err := vitals.New(vitals.Config{
		Dependencies: []checker.Check{
			{Name: "database", Interval: checkInterval, FailingInterval: checkInterval, Run: fails(&m.broken)},
			{Name: "cache", Interval: checkInterval, FailingInterval: checkInterval, Run: fails(&m.slow), Optional: true},
		},
		DrainDelay: drainDelay,
		Logger:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	lis, err := m.network.listen(m.name)
	if err != nil {
		return err
	}
	m.address = lis.Addr().String()
	server := grpc.NewServer(health.ServerOptions()...)
	testpb.RegisterTestServiceServer(server, m)
	ctx, end := context.WithCancel(context.WithoutCancel(m.ctx))
	m.end = end
	m.ended.Go(func() { _ = health.Serve(ctx, server, lis) })
	return nil
}

// stop drains the server.
func (m *member) stop() {
	m.end()
	m.ended.Wait()
}

// restart is a release: drain, end, start. It panics if the address has been taken in between.
func (m *member) restart() {
	m.stop()
	if err := m.start(); err != nil {
		panic(err)
	}
}

func fails(when *atomic.Bool) func(context.Context) error {
	return func(context.Context) error {
		if when.Load() {
			return errors.New("no answer")
		}
		return nil
	}
}
