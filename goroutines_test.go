package vitals_test

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
)

// TestServeCostsFewGoroutines counts the goroutines of Serve at rest, with one check and one breaker.
func TestServeCostsFewGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := breaker.New(breaker.Config{Name: "database"})
		if err != nil {
			t.Fatal(err)
		}
		health, err := vitals.New(vitals.Config{
			Dependencies: []checker.Check{{Name: "database", Run: func(context.Context) error { return nil }}},
			Breakers:     []breaker.SnapshotSource{b},
			Resources:    unjudged(),
			DrainDelay:   -1,
			Logger:       slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error)
		before := bubbleGoroutines()
		go func() { served <- health.Serve(ctx, grpc.NewServer(health.ServerOptions()...), bufconn.Listen(1<<10)) }()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := bubbleGoroutines() - before; got > 9 {
			stacks := make([]byte, 1<<20)
			t.Errorf("Serve costs %d goroutines, want at most 9:\n%s", got, stacks[:runtime.Stack(stacks, true)])
		}
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// bubbleGoroutines counts the goroutines of the caller's bubble: those of other tests come and go.
func bubbleGoroutines() int {
	stacks := make([]byte, 1<<20)
	text := string(stacks[:runtime.Stack(stacks, true)])
	_, bubble, _ := strings.Cut(text, "synctest bubble ") // the first stack is the caller's
	bubble, _, _ = strings.Cut(bubble, "]")
	return strings.Count(text, "synctest bubble "+bubble+"]")
}
