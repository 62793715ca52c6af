package vitals_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/freeport"
	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNewReportsAllErrors(t *testing.T) {
	_, err := vitals.New(vitals.Config{
		// One mistake for each of the parts, which are made one after the other.
		Requests:       servicer.RequestPolicy{MinSample: -1},
		Breakers:       []breaker.SnapshotSource{nil},
		Recorder:       interceptor.Config{Window: -time.Second},
		FilePath:       "/tmp/",
		HTTPAddr:       "8080",
		Prometheus:     true,
		Metrics:        promvitals.Config{Buckets: []float64{-1}},
		CheckInterval:  -time.Second,
		OptionalChecks: []string{"databse"},
		Dependencies: []checker.Check{
			{Name: "database", Run: func(context.Context) error { return nil }},
			{Name: "readiness", Run: func(context.Context) error { return nil }},
		},
		Checks: []checker.Check{{Name: "idle"}},
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, word := range []string{
		"CheckInterval", "databse", "PLUGIN_HEALTH_OPTIONAL_CHECKS", "MinSample", "Breakers", "Window", "PLUGIN_HEALTH_FILE_PATH",
		"PLUGIN_HEALTH_HTTP_ADDR", "Buckets", `"readiness"`, `"idle"`,
	} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error does not name %s: %v", word, err)
		}
	}
	if n := strings.Count(err.Error(), "got -1s"); n != 2 { // the other one is Window
		t.Errorf("the negative interval is reported %d times: %v", n-1, err)
	}
}

func TestNewRejectsTimesThatCannotBeKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "health")
	for _, d := range []time.Duration{-1, 1, 99 * time.Microsecond, math.MaxInt64} {
		_, err := vitals.New(vitals.Config{CheckInterval: d, CheckTimeout: d, FilePath: file})
		for _, field := range []string{"CheckInterval (PLUGIN_HEALTH_CHECK_INTERVAL)", "CheckTimeout (PLUGIN_HEALTH_CHECK_TIMEOUT)"} {
			if err == nil || strings.Count(err.Error(), "vitals: "+field) != 1 {
				t.Errorf("%v: the error does not name %s once: %v", d, field, err)
			}
		}
		if err != nil && strings.Count(err.Error(), "\n") != 1 {
			t.Errorf("%v is reported more than twice: %v", d, err)
		}
	}
}

func TestOptionalChecksReplaceOptional(t *testing.T) {
	nothing := func(context.Context) error { return nil }
	health, err := vitals.New(vitals.Config{
		Dependencies: []checker.Check{
			{Name: "database", Run: nothing, Gates: []string{checker.Readiness}},
			{Name: "cache", Run: nothing, Optional: true},
		},
		OptionalChecks: []string{"database"},
		Logger:         slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	snapshot := health.Checker().Snapshot()
	for name, want := range map[string]bool{"database": true, "cache": false} {
		if result, found := snapshot.Lookup(name); !found || result.Optional != want {
			t.Errorf("%s is optional: %v, want %v", name, result != nil && result.Optional, want)
		}
	}
}

// world is a served Health with every door open.
type world struct {
	*vitals.Health
	conn   *grpc.ClientConn
	plain  *grpc.ClientConn // to the health-only listener
	server *grpc.Server
	lis    net.Listener
	http   string
	file   string
	broken atomic.Bool
	stop   context.CancelFunc
	ended  chan error
}

type echo struct {
	testpb.UnimplementedTestServiceServer
}

func (echo) EmptyCall(context.Context, *testpb.Empty) (*testpb.Empty, error) {
	return &testpb.Empty{}, nil
}

func serve(t *testing.T, change func(*vitals.Config)) *world {
	t.Helper()
	w := &world{http: freeAddr(t), file: filepath.Join(t.TempDir(), "health"), ended: make(chan error, 1)}
	plain := freeAddr(t)
	cfg := vitals.Config{
		Version: "1.2.3",
		Dependencies: []checker.Check{{Name: "database", FailingInterval: 20 * time.Millisecond, Interval: 20 * time.Millisecond, Run: func(context.Context) error {
			if w.broken.Load() {
				return errors.New("password=hunter2 refused")
			}
			return nil
		}}},
		HTTPAddr:       w.http,
		HealthGRPCAddr: plain,
		FilePath:       w.file,
		DrainDelay:     50 * time.Millisecond,
		// How busy the machine is that runs the tests is not what is tested.
		Resources: unjudged(),
		Logger:    slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if w.Health, err = vitals.New(cfg); err != nil {
		t.Fatal(err)
	}
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(w.ServerOptions()...)
	w.server, w.lis = server, lis
	testpb.RegisterTestServiceServer(server, echo{})
	ctx, stop := context.WithCancel(t.Context())
	w.stop = stop
	go func() { w.ended <- w.Serve(ctx, server, lis) }()
	w.conn, w.plain = dial(t, lis.Addr().String()), dial(t, plain)
	t.Cleanup(stop)
	return w
}

func freeAddr(t *testing.T) string {
	t.Helper()
	port, err := freeport.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

func dial(t *testing.T, addr string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// check asks conn for name until it gets the wanted status.
func check(t *testing.T, conn *grpc.ClientConn, name string, want healthpb.HealthCheckResponse_ServingStatus) {
	t.Helper()
	var got *healthpb.HealthCheckResponse
	eventually(t, func() (err error) {
		got, err = healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{Service: name}, grpc.WaitForReady(true))
		if err == nil && got.GetStatus() != want {
			err = errors.New(name + " is " + got.GetStatus().String() + ", want " + want.String())
		}
		return err
	})
}

func (w *world) get(t *testing.T, path string) (code int, body string) {
	t.Helper()
	response, err := http.Get("http://" + w.http + path)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func (w *world) answers(t *testing.T, path string, want int) {
	t.Helper()
	eventually(t, func() error {
		if code, body := w.get(t, path); code != want {
			return errors.New(path + " answers " + http.StatusText(code) + ": " + body)
		}
		return nil
	})
}

// eventually repeats try until it succeeds, for a generous while.
func eventually(t *testing.T, try func() error) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		pause := time.NewTimer(5 * time.Millisecond)
		<-pause.C
	}
}

func TestEndpointsAgree(t *testing.T) {
	w := serve(t, nil)
	if _, err := testpb.NewTestServiceClient(w.conn).EmptyCall(t.Context(), &testpb.Empty{}, grpc.WaitForReady(true)); err != nil {
		t.Fatal(err)
	}
	for _, broken := range []bool{false, true, false} {
		w.broken.Store(broken)
		want, ready := healthpb.HealthCheckResponse_SERVING, http.StatusOK
		if broken {
			want, ready = healthpb.HealthCheckResponse_NOT_SERVING, http.StatusServiceUnavailable
		}
		for _, conn := range []*grpc.ClientConn{w.conn, w.plain} {
			for _, name := range []string{"", "readiness", "database", "grpc.testing.TestService"} {
				check(t, conn, name, want)
			}
			check(t, conn, "liveness", healthpb.HealthCheckResponse_SERVING)
		}
		w.answers(t, "/ready", ready)
		w.answers(t, "/live", http.StatusOK)
		w.answers(t, "/startup", http.StatusOK)
		w.answers(t, "/health/database", ready)
		eventually(t, func() error {
			var file struct{ Ready bool }
			content, err := os.ReadFile(w.file)
			if err == nil {
				err = json.Unmarshal(content, &file)
			}
			if err == nil && file.Ready == broken {
				err = errors.New("the file says " + string(content))
			}
			return err
		})
	}
	_, err := healthpb.NewHealthClient(w.conn).Check(t.Context(), &healthpb.HealthCheckRequest{Service: "nobody"})
	if status.Code(err) != codes.NotFound {
		t.Errorf("Check of an unknown name: %v, want NotFound", err)
	}
	if calls := w.Recorder().Server().Total.Handled; calls != 1 {
		t.Errorf("%d calls recorded, want the one of the application and no probe", calls)
	}
	w.end(t)
}

func TestMetricsAreServedOnlyIfEnabled(t *testing.T) {
	for _, asked := range []bool{false, true} {
		w := serve(t, func(cfg *vitals.Config) { cfg.Prometheus = asked })
		w.broken.Store(true)
		check(t, w.conn, "database", healthpb.HealthCheckResponse_NOT_SERVING)
		if !asked {
			w.answers(t, "/metrics", http.StatusNotFound)
		} else {
			w.answers(t, "/metrics", http.StatusOK)
			if _, body := w.get(t, "/metrics"); !strings.Contains(body, `health_status{service="database"} 0`) || strings.Contains(body, "hunter2") {
				t.Errorf("the page is wrong: %s", body)
			}
		}
		w.end(t)
	}
}

func TestEndpointsHideCauses(t *testing.T) {
	w := serve(t, nil)
	w.broken.Store(true)
	check(t, w.conn, "database", healthpb.HealthCheckResponse_NOT_SERVING)
	for _, path := range []string{"/health", "/health?format=html", "/health?format=health", "/health/database", "/ready?verbose", "/live?verbose"} {
		if _, body := w.get(t, path); strings.Contains(body, "hunter2") {
			t.Errorf("%s shows the cause: %s", path, body)
		}
	}
	if content, _ := os.ReadFile(w.file); strings.Contains(string(content), "hunter2") {
		t.Errorf("the health file shows the cause: %s", content)
	}
	w.end(t)
}

func TestDrainIsVisibleAtEveryEndpoint(t *testing.T) {
	w := serve(t, func(cfg *vitals.Config) { cfg.DrainDelay = 2 * time.Second })
	check(t, w.conn, "", healthpb.HealthCheckResponse_SERVING)
	w.answers(t, "/ready", http.StatusOK)
	w.stop()
	check(t, w.conn, "", healthpb.HealthCheckResponse_NOT_SERVING)
	check(t, w.plain, "readiness", healthpb.HealthCheckResponse_NOT_SERVING)
	check(t, w.conn, "liveness", healthpb.HealthCheckResponse_SERVING)
	w.answers(t, "/ready", http.StatusServiceUnavailable)
	w.answers(t, "/live", http.StatusOK)
	if _, err := testpb.NewTestServiceClient(w.conn).EmptyCall(t.Context(), &testpb.Empty{}); err != nil {
		t.Errorf("a call while draining fails: %v", err)
	}
	w.end(t)
	if _, err := os.Stat(w.file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the health file is left after a clean stop: %v", err)
	}
}

func TestOpenedBreakerRunsCheckAtOnce(t *testing.T) {
	guard, err := breaker.New(breaker.Config{Name: "payments", ProbeOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	w := serve(t, func(cfg *vitals.Config) {
		cfg.Breakers = []breaker.SnapshotSource{guard}
		cfg.Dependencies = append(cfg.Dependencies, checker.Check{
			Name: "payments", Interval: time.Hour, Run: guard.Check(func(context.Context) error { return nil }),
		})
	})
	check(t, w.conn, "readiness", healthpb.HealthCheckResponse_SERVING)
	for range 5 {
		_, _ = breaker.Do(t.Context(), guard, func(context.Context) (int, error) { return 0, errors.New("refused") })
	}
	check(t, w.conn, "readiness", healthpb.HealthCheckResponse_NOT_SERVING)
	if metric, _ := w.Report().Metric("dependency_payments"); metric == nil || metric.Value != "circuit_open" {
		t.Errorf("the report says %+v", metric)
	}
	guard.Reset()
	w.end(t)
}

func TestServeNamesAddressInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	w := serve(t, func(cfg *vitals.Config) { cfg.HTTPAddr = taken.Addr().String() })
	if err := <-w.ended; err == nil || !strings.Contains(err.Error(), "PLUGIN_HEALTH_HTTP_ADDR") {
		t.Errorf("Serve returns %v, want an error that names the variable", err)
	}
	if err := w.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "PLUGIN_HEALTH_HTTP_ADDR") {
		t.Errorf("Run returns %v, want that it has tried again", err)
	}
}

// end stops the server and waits until it has gone.
func (w *world) end(t *testing.T) {
	t.Helper()
	w.stop()
	if err := <-w.ended; err != nil {
		t.Errorf("Serve returns %v", err)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestHiddenChecksGateWithoutNames(t *testing.T) {
	w := serve(t, func(c *vitals.Config) { c.HideChecks = true })
	check(t, w.conn, "", healthpb.HealthCheckResponse_SERVING)
	client := healthpb.NewHealthClient(w.conn)
	if _, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{Service: "database"}); status.Code(err) != codes.NotFound {
		t.Errorf("Check of a hidden check: %v, want NOT_FOUND", err)
	}
	list, err := client.List(t.Context(), &healthpb.HealthListRequest{})
	if _, named := list.GetStatuses()["database"]; err != nil || named {
		t.Errorf("List names it: %v, %v", list, err)
	}
	w.broken.Store(true)
	check(t, w.conn, "", healthpb.HealthCheckResponse_NOT_SERVING)
	w.end(t)
}

// TestOpenBreakersOfOneNameRunCheckOnce opens two breakers of one name, one of them twice.
func TestOpenBreakersOfOneNameRunCheckOnce(t *testing.T) {
	var groups []breaker.SnapshotSource
	for range 2 {
		group, err := breaker.NewGroup(breaker.GroupConfig{Breaker: breaker.Config{Name: "upstream"}})
		if err != nil {
			t.Fatal(err)
		}
		groups = append(groups, group)
	}
	var runs atomic.Int64
	w := serve(t, func(cfg *vitals.Config) {
		cfg.Breakers = groups
		cfg.Dependencies = append(cfg.Dependencies, checker.Check{
			Name: "upstream/payments", Interval: time.Hour, Run: func(context.Context) error { runs.Add(1); return nil },
		})
	})
	for trips, group := range groups {
		guard := group.(*breaker.Group).Get("payments")
		for range trips + 1 {
			guard.Reset()
			for range 5 {
				_, _ = breaker.Do(t.Context(), guard, func(context.Context) (int, error) { return 0, errors.New("refused") })
			}
		}
	}
	time.Sleep(3500 * time.Millisecond) // numbers are published each second
	if n := runs.Load(); n > 4 {
		t.Errorf("the check ran %d times, want once at the start and at most once for each time a breaker opened", n)
	}
	w.end(t)
}
