package vitals_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime"
	"testing"
	"time"
	"weak"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals"
)

// TestServeReturnsNilWhenContextIsDoneBeforeStart has Serve and Run begin when they are to end already, as a signal that comes
// during a slow start does.
func TestServeReturnsNilWhenContextIsDoneBeforeStart(t *testing.T) {
	for name, begin := range map[string]func(*vitals.Health, context.Context) error{
		"Serve": func(h *vitals.Health, ctx context.Context) error {
			lis, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			return h.Serve(ctx, grpc.NewServer(h.ServerOptions()...), lis)
		},
		"Run": (*vitals.Health).Run,
	} {
		for _, host := range []string{"127.0.0.1", "localhost"} {
			t.Run(name+" at "+host, func(t *testing.T) {
				_, webPort, _ := net.SplitHostPort(freeAddr(t))
				_, grpcPort, _ := net.SplitHostPort(freeAddr(t))
				health, err := vitals.New(vitals.Config{
					HTTPAddr: net.JoinHostPort(host, webPort), HealthGRPCAddr: net.JoinHostPort(host, grpcPort),
					FilePath: t.TempDir() + "/health", DrainDelay: 10 * time.Millisecond,
					Resources: unjudged(),
					Logger:    slog.New(slog.DiscardHandler),
				})
				if err != nil {
					t.Fatal(err)
				}
				ctx, stop := context.WithCancel(t.Context())
				stop()
				if err := begin(health, ctx); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// A program may start another server with the same context after one has failed.
func TestServeThatFailedLeavesNothingInItsContext(t *testing.T) {
	dropped := func() weak.Pointer[vitals.Health] {
		health, err := vitals.New(vitals.Config{DrainDelay: -1, Resources: unjudged(), Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		lis, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		lis.Close()
		if err := health.Serve(t.Context(), grpc.NewServer(health.ServerOptions()...), lis); err == nil {
			t.Fatal("no error")
		}
		return weak.Make(health)
	}()
	eventually(t, func() error { // calls that have just ended keep it for seconds
		if runtime.GC(); dropped.Value() != nil {
			return errors.New("the context keeps it")
		}
		return nil
	})
}
