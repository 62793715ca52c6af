package vitals_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/logtest"
)

// badHandler is a log handler of which each method calls fail before it does its work.
type badHandler struct {
	slog.Handler

	fail func()
}

func (h badHandler) Enabled(ctx context.Context, l slog.Level) bool {
	h.fail()
	return h.Handler.Enabled(ctx, l)
}

func (h badHandler) Handle(ctx context.Context, r slog.Record) error {
	h.fail()
	return h.Handler.Handle(ctx, r)
}

func (h badHandler) WithAttrs([]slog.Attr) slog.Handler { h.fail(); return h }
func (h badHandler) WithGroup(string) slog.Handler      { h.fail(); return h }

func badLogger(fail func()) *slog.Logger {
	return slog.New(badHandler{slog.DiscardHandler, fail})
}

// noisy is a Config in which every component has something to log.
func noisy(t *testing.T, log *slog.Logger) vitals.Config {
	t.Helper()
	broken := rogue{newMute()}
	broken.silence()
	return vitals.Config{
		Logger:     log,
		Resources:  unjudged(),
		Breakers:   []breaker.SnapshotSource{broken},
		FilePath:   filepath.Join(t.TempDir(), "no such folder", "health"),
		DrainDelay: -1,
		Recorder: interceptor.Config{
			MaxMethods: 1,
			Exemplar:   func(context.Context) map[string]string { panic("no exemplar") },
			Skip:       func(context.Context, string) bool { panic("no answer") },
		},
		Checks: []checker.Check{
			{Name: "panics", Gates: []string{checker.None}, Run: func(context.Context) error { panic("at the disco") }},
		},
	}
}

// makeCalls makes calls that succeed, panic and use up the methods of the recorder.
func makeCalls(t *testing.T, h *vitals.Health) {
	t.Helper()
	unary, _ := h.Recorder().ServerInterceptors()
	for i := range 5 {
		_, err := unary(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: fmt.Sprintf("/shop.v1.Orders/Get%d", i)},
			func(context.Context, any) (any, error) {
				if i == 3 {
					panic("a bug")
				}
				return nil, nil
			})
		if (err != nil) != (i == 3) {
			t.Errorf("call %d: %v", i, err)
		}
	}
}

// The HTTP server, the health file, sources, the recorder, a plugin and the drain log to a handler that fails.
func TestFailingLogHandlerStopsNothing(t *testing.T) {
	for name, fail := range map[string]func(){"panics": func() { panic("disk full") }, "ends its goroutine": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			cfg := noisy(t, badLogger(fail))
			cfg.HTTPAddr = "127.0.0.1:0"
			h := newHealth(t, cfg)
			server, lis := grpc.NewServer(h.ServerOptions()...), bufconn.Listen(1<<16)
			testpb.RegisterTestServiceServer(server, echo{})
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- h.Serve(ctx, server, lis) }()
			conn, err := grpc.NewClient("passthrough:///lis", grpc.WithTransportCredentials(insecure.NewCredentials()),
				grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := testpb.NewTestServiceClient(conn).EmptyCall(t.Context(), &testpb.Empty{}, grpc.WaitForReady(true)); err != nil {
				t.Errorf("call: %v", err)
			}
			makeCalls(t, h)
			stop()
			if err := <-ended; err != nil {
				t.Errorf("Serve: %v", err)
			}
		})
	}
}

func TestBlockedLogHandlerStopsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h := newHealth(t, noisy(t, badLogger(func() { <-release })))
		p := plugIn(t, h)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- h.Run(ctx) }()
		time.Sleep(time.Minute)
		p.check(t, "plugin")
		makeCalls(t, h)
		if m, _ := h.Report().Metric("dependency_panics"); m.Status != checker.Critical || time.Since(m.Updated) > 10*time.Second {
			t.Errorf("checks do not go on: %+v", m)
		}
		p.end()
		began := time.Now()
		stop()
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "log handler blocked") || time.Since(began) > 20*time.Second {
			t.Errorf("Run returned after %v: %v", time.Since(began), err)
		}
		close(release)
		synctest.Wait()
	})
}

func TestLinesAreWrittenBeforeServeReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all, calls logtest.Log
		slow := func(l *logtest.Log) *slog.Logger {
			return slog.New(badHandler{slog.NewTextHandler(l, nil), func() { time.Sleep(10 * time.Millisecond) }})
		}
		cfg := noisy(t, slow(&all))
		cfg.Recorder.Logger = slow(&calls)
		h := newHealth(t, cfg)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- h.Run(ctx) }()
		time.Sleep(time.Second)
		makeCalls(t, h)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		for _, want := range []string{"phase is stopped", "health file cannot be written", "health source panicked", "panics check panicked"} {
			if !strings.Contains(all.String(), want) {
				t.Errorf("no %q in\n%s", want, all.String())
			}
		}
		for _, want := range []string{"Config.Skip panicked", "Config.Exemplar panicked", "method limit reached", "gRPC handler panicked"} {
			if strings.Count(calls.String(), want) != 1 {
				t.Errorf("not one %q in\n%s", want, calls.String())
			}
		}
		for line := range strings.Lines(all.String() + calls.String()) {
			if strings.Count(line, "logger=plugin.health") != 1 {
				t.Errorf("not one attribute logger in %s", line)
			}
		}
	})
}
