package main

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"time"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/servicer/orcavitals"
)

// serverCommand makes this program one of the servers of the experiment.
const serverCommand = "server"

// serve is a server process with one CPU that reports its load. It writes where it listens to stdout, and drains when
// ctx ends or stdin does, which it does with the parent at the latest.
func serve(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	flags := flag.NewFlagSet(serverCommand, flag.ContinueOnError)
	name := flags.String("name", "", "of the server, in its answers")
	address := flags.String("addr", "127.0.0.1:0", "to listen on")
	busy := flags.Int("busy", 0, "goroutines that do nothing but use up the CPU")
	if err := flags.Parse(args); err != nil {
		return err
	}
	runtime.GOMAXPROCS(1)
	utilization, err := newUtilization()
	if err != nil {
		return err
	}
	health, err := vitals.New(vitals.Config{
		LoadReports: true, // all that the experiment is about
		Load:        orcavitals.Config{Utilization: utilization, Interval: 250 * time.Millisecond, Window: 2 * time.Second},
		DrainDelay:  time.Second,
		Logger:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	lis, err := new(net.ListenConfig).Listen(ctx, "tcp", *address)
	if err != nil {
		return err
	}
	server := grpc.NewServer(health.ServerOptions()...)
	testpb.RegisterTestServiceServer(server, &worker{name: *name})
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		stop()
	}()
	for range *busy {
		go func() {
			for ctx.Err() == nil {
				work(1)
			}
		}()
	}
	fmt.Fprintln(stdout, lis.Addr())
	return health.Serve(ctx, server, lis)
}

// worker does real work for each call.
type worker struct {
	testpb.UnimplementedTestServiceServer

	name string
}

// UnaryCall works for about a millisecond and returns the name of the server.
func (w *worker) UnaryCall(context.Context, *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	work(500)
	return &testpb.SimpleResponse{ServerId: w.name}, nil
}

// work uses up a few microseconds of a CPU each time.
func work(times int) {
	var block [1024]byte
	for range times {
		sum := sha256.Sum256(block[:])
		copy(block[:], sum[:])
	}
}
