package vitals_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

const (
	isServing  = healthpb.HealthCheckResponse_SERVING
	notServing = healthpb.HealthCheckResponse_NOT_SERVING
)

// plugged is a server as go-plugin makes it: our factory first, then its own health service, then the application's.
type plugged struct {
	server *grpc.Server
	conn   *grpc.ClientConn
	served sync.WaitGroup
}

func plugIn(t *testing.T, h *vitals.Health) *plugged {
	t.Helper()
	p := &plugged{server: h.PluginServer([]grpc.ServerOption{grpc.Creds(insecure.NewCredentials())})}
	theirs := health.NewServer()
	theirs.SetServingStatus("plugin", isServing)
	healthpb.RegisterHealthServer(p.server, theirs)
	testpb.RegisterTestServiceServer(p.server, echo{})
	lis := bufconn.Listen(1 << 16)
	p.served.Go(func() { _ = p.server.Serve(lis) })
	var err error
	p.conn, err = grpc.NewClient("passthrough:///plugin", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *plugged) end() {
	p.conn.Close()
	p.server.Stop()
	p.served.Wait()
}

func (p *plugged) check(t *testing.T, name string) healthpb.HealthCheckResponse_ServingStatus {
	t.Helper()
	response, err := healthpb.NewHealthClient(p.conn).Check(t.Context(), &healthpb.HealthCheckRequest{Service: name})
	if err != nil {
		t.Errorf("Check(%q): %v", name, err)
	}
	return response.GetStatus()
}

func newHealth(t *testing.T, cfg vitals.Config) *vitals.Health {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	h, err := vitals.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestPluginServersShareOneHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		h := newHealth(t, vitals.Config{Dependencies: []checker.Check{{Name: "database", Interval: time.Second, Run: func(context.Context) error {
			if broken.Load() {
				return errors.New("down")
			}
			return nil
		}}}})
		ctx, end := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- h.Run(ctx) }()
		servers := []*plugged{plugIn(t, h), plugIn(t, h)}
		synctest.Wait()
		for _, want := range []healthpb.HealthCheckResponse_ServingStatus{isServing, notServing, isServing} {
			broken.Store(want == notServing)
			time.Sleep(10 * time.Second)
			for i, p := range servers {
				for _, name := range []string{"", "plugin", "database", "grpc.testing.TestService", "readiness"} {
					if got := p.check(t, name); got != want {
						t.Errorf("server %d: %q is %v, want %v", i, name, got, want)
					}
				}
				report, err := vitalspb.NewHealthReportServiceClient(p.conn).GetHealthReport(t.Context(), &vitalspb.HealthReportRequest{})
				if err != nil || (report.Metrics["dependency_database"].GetStatus() == "critical") != (want == notServing) {
					t.Errorf("server %d: report = %v, %v", i, report.GetMetrics()["dependency_database"], err)
				}
			}
		}
		if _, err := testpb.NewTestServiceClient(servers[1].conn).EmptyCall(t.Context(), &testpb.Empty{}); err != nil {
			t.Error(err)
		}
		if calls := h.Recorder().Server().Total.Handled; calls != 1 {
			t.Errorf("%d calls recorded, want the application's own", calls)
		}
		for _, p := range servers {
			p.end()
		}
		end()
		if err := <-ran; err != nil {
			t.Errorf("Run returns %v", err)
		}
	})
}

func TestPingIsAnsweredBeforeRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(t, vitals.Config{Dependencies: []checker.Check{{Name: "database", Run: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}}})
		p := plugIn(t, h)
		defer p.end()
		if got := p.check(t, "plugin"); got != notServing {
			t.Errorf("plugin is %v before its first check, want NOT_SERVING", got)
		}
		ctx, end := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- h.Run(ctx) }()
		synctest.Wait() // the check hangs now
		asked := time.Now()
		p.check(t, "plugin")
		if waited := time.Since(asked); waited != 0 {
			t.Errorf("Ping waited %v for a dependency that hangs", waited)
		}
		end()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		if got := p.check(t, "plugin"); got != notServing { // known to the last
			t.Errorf("plugin is %v after the end, want NOT_SERVING", got)
		}
	})
}

func TestPluginWithInvalidCheckAnswersPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		h := newHealth(t, vitals.Config{
			Checks: []checker.Check{{Name: "disk", Gates: []string{"shop.v1.Odrers"}, Run: func(context.Context) error { return nil }}},
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		p := plugIn(t, h)
		end := running(t, h)
		synctest.Wait()
		p.check(t, "plugin")
		time.Sleep(time.Second) // Run reads what the call has made known
		p.end()
		end()
		if !strings.Contains(log.String(), "shop.v1.Odrers") {
			t.Errorf("the log does not name the mistake: %q", log.String())
		}
	})
}

func TestRunDrains(t *testing.T) {
	for name, test := range map[string]struct {
		plugin bool
		delay  time.Duration
	}{
		"of a server of one's own, with the delay": {false, 3 * time.Second},
		"of a plugin, at once":                     {true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHealth(t, vitals.Config{DrainDelay: 3 * time.Second})
				var p *plugged
				if test.plugin {
					p = plugIn(t, h)
					defer p.end()
				}
				ctx, end := context.WithCancel(t.Context())
				ran := make(chan error, 1)
				go func() { ran <- h.Run(ctx) }()
				synctest.Wait()
				asked := time.Now()
				end()
				synctest.Wait()
				if name, _ := h.Report().Lookup("readiness"); name.Status != notServing {
					t.Errorf("readiness is %v after the end of the context", name.Status)
				}
				if err := <-ran; err != nil {
					t.Error(err)
				}
				if waited := time.Since(asked); waited != test.delay {
					t.Errorf("Run returned after %v, want %v", waited, test.delay)
				}
			})
		})
	}
}

func TestRunOpensListeners(t *testing.T) {
	w := &world{http: freeAddr(t), file: t.TempDir() + "/health", ended: make(chan error, 1)}
	plain := freeAddr(t)
	w.Health = newHealth(t, vitals.Config{HTTPAddr: w.http, HealthGRPCAddr: plain, FilePath: w.file, DrainDelay: -1})
	ctx, stop := context.WithCancel(t.Context())
	w.stop = stop
	go func() { w.ended <- w.Run(ctx) }()
	w.answers(t, "/ready", 200)
	check(t, dial(t, plain), "readiness", isServing)
	w.end(t)
}

func TestRunNamesAddressInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	h := newHealth(t, vitals.Config{HTTPAddr: taken.Addr().String()})
	if err := h.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "PLUGIN_HEALTH_HTTP_ADDR") {
		t.Errorf("Run returns %v, want an error that names the variable", err)
	}
}

func TestPluginServicesAreAddedOnceUnderConcurrentCalls(t *testing.T) {
	h := newHealth(t, vitals.Config{})
	p := plugIn(t, h)
	defer p.end()
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			_, err := healthpb.NewHealthClient(p.conn).Check(t.Context(), &healthpb.HealthCheckRequest{Service: "grpc.testing.TestService"})
			if status.Code(err) != codes.OK {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	list, err := healthpb.NewHealthClient(p.conn).List(t.Context(), &healthpb.HealthListRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"plugin", "grpc.testing.TestService", "vitals.v1.HealthReportService"} {
		if _, found := list.Statuses[name]; !found {
			t.Errorf("List does not name %s", name)
		}
	}
	var names []string
	for _, n := range h.Report().Names {
		names = append(names, n.Name)
	}
	if !slices.Contains(names, "plugin") {
		t.Errorf("the report names %q, want plugin too", names)
	}
}
