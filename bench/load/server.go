package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
)

// addresses is the server's first line on its standard output.
type addresses struct{ GRPC, HTTP string }

// figures answers every command that the server reads from its standard input.
type figures struct{ Goroutines int }

// serve runs the server until its input ends. Each line of it is a command: "down" and "up" say how the one dependency
// is, and any is answered by a line of figures once it has been evaluated.
func serve(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var away atomic.Bool // written by the commands, read by the check
	health, err := vitals.New(vitals.Config{
		Version: "load",
		Dependencies: []checker.Check{{Name: "database", Interval: time.Minute, Run: func(context.Context) error {
			if away.Load() {
				return errors.New("taken away")
			}
			return nil
		}}},
		Prometheus: true,
		DrainDelay: -1,
		Logger:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	calls, probes, err := listen(ctx)
	if err != nil {
		return err
	}
	web := &http.Server{Handler: health.Handler(), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = web.Serve(probes) }() // until the process ends
	server := grpc.NewServer(health.ServerOptions()...)
	testpb.RegisterTestServiceServer(server, echo{})
	done := make(chan error, 1)
	go func() { done <- health.Serve(ctx, server, calls) }()
	if err := json.NewEncoder(out).Encode(addresses{GRPC: calls.Addr().String(), HTTP: probes.Addr().String()}); err != nil {
		return err
	}
	err = obey(in, out, func(command string) (any, error) { return answer(ctx, health, &away, command) })
	if err != nil {
		return err
	}
	cancel()
	return <-done
}

func listen(ctx context.Context) (calls, probes net.Listener, err error) {
	var config net.ListenConfig
	if calls, err = config.Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return nil, nil, err
	}
	if probes, err = config.Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return nil, nil, errors.Join(err, calls.Close())
	}
	return calls, probes, nil
}

// answer carries out one command and returns figures.
func answer(ctx context.Context, health *vitals.Health, away *atomic.Bool, command string) (any, error) {
	if command != "figures" {
		away.Store(command == "down")
		if _, err := health.Checker().Refresh(ctx, "database"); err != nil {
			return nil, fmt.Errorf("refresh: %w", err)
		}
	}
	return figures{Goroutines: runtime.NumGoroutine()}, nil
}

type echo struct {
	testpb.UnimplementedTestServiceServer
}

func (echo) UnaryCall(_ context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	return &testpb.SimpleResponse{Payload: in.GetPayload()}, nil
}
