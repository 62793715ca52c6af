package main_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

const (
	serving    = healthpb.HealthCheckResponse_SERVING
	notServing = healthpb.HealthCheckResponse_NOT_SERVING
)

// TestLife starts a server that has nothing but its defaults, uses it and ends it with SIGTERM.
func TestLife(t *testing.T) {
	t.Parallel()
	s := start(t, "PLUGIN_HEALTH_DRAIN_DELAY=5") // within which a slow machine must come to make one call
	for _, name := range []string{"", "readiness", "liveness", "startup", "database", "inventory.v1.Inventory"} {
		s.becomes(name, serving)
	}
	_, err := s.health.Check(call(t), &healthpb.HealthCheckRequest{Service: "nobody"})
	if status.Code(err) != codes.NotFound {
		t.Errorf("unknown name: %v, want NOT_FOUND", err)
	}
	if _, err := s.health.Check(call(t), &healthpb.HealthCheckRequest{}, grpc.UseCompressor(gzip.Name)); err != nil {
		t.Errorf("compressed probe: %v", err)
	}
	s.answers("/ready", 200)
	if err := s.put("bolt"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.get("bolt"); err != nil {
		t.Error(err)
	}

	changes, err := s.items.Watch(t.Context(), &inventoryv1.WatchRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := changes.Recv(); err != nil {
		t.Fatal(err)
	}
	verdict, err := s.health.Watch(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := verdict.Recv(); err != nil || resp.GetStatus() != serving {
		t.Fatalf("%v, %v; want SERVING", resp, err)
	}
	s.Signal(syscall.SIGTERM)
	if resp, err := verdict.Recv(); err != nil || resp.GetStatus() != notServing {
		t.Errorf("draining: %v, %v; want NOT_SERVING", resp, err)
	}
	if _, err := s.get("bolt"); err != nil {
		t.Errorf("while draining: %v, want service as before", err)
	}
	if _, err := changes.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("open watch of items: %v, want UNAVAILABLE", err)
	}
	if code := s.Wait(patience); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	if _, err := os.Stat(filepath.Join(s.folder, "health")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the health file is left behind: %v", err)
	}
}

func TestSecondSignalKills(t *testing.T) {
	t.Parallel()
	s := start(t, "PLUGIN_HEALTH_DRAIN_DELAY=1h")
	s.becomes("", serving)
	s.Signal(syscall.SIGINT)
	s.becomes("", notServing)
	s.Signal(syscall.SIGTERM) // which no shell lets its background jobs ignore, as it does SIGINT
	if code := s.Wait(patience); code == 0 {
		t.Error("exit code 0, want death by the second signal")
	}
}

func TestDataOutlivesTheServer(t *testing.T) {
	t.Parallel()
	file := "INVENTORY_DB=" + filepath.Join(t.TempDir(), "inventory.db")
	first := start(t, file, "PLUGIN_HEALTH_DRAIN_DELAY=0")
	first.becomes("", serving)
	if err := first.put("bolt"); err != nil {
		t.Fatal(err)
	}
	first.Kill()
	second := start(t, file)
	second.becomes("", serving)
	if _, err := second.get("bolt"); err != nil {
		t.Error(err)
	}
}

func TestMistakesAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	p := testdeps.Start(t, prepare(t, nil,
		"INVENTORY_ADDR=here",
		"INVENTORY_TESTSERVICE=perhaps",
		"INVENTORY_TLS_CERT=/missing",
		"UPSTREAM_TLS_CA=/missing",
		"DATABASE_URL=postgres://me:hunter2@host:port/db",
		"REDIS_URL=http://me:hunter2@host",
		"EXTERNAL_API_URL=prices",
		"PLUGIN_HEALTH_CHECK_TIMEOUT=soon",
	))
	if code := p.Wait(patience); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	for _, variable := range []string{
		"INVENTORY_ADDR", "INVENTORY_TESTSERVICE", "INVENTORY_TLS_CERT", "INVENTORY_TLS_KEY", "UPSTREAM_TLS_CA", "DATABASE_URL", "REDIS_URL",
		"EXTERNAL_API_URL", "PLUGIN_HEALTH_CHECK_TIMEOUT",
	} {
		if !strings.Contains(p.Output(), variable+":") {
			t.Errorf("nothing is said about %s", variable)
		}
	}
	if strings.Contains(p.Output(), "hunter2") {
		t.Error("the output holds a password")
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.becomes("", serving)
	ask := func(args ...string) []string {
		return append([]string{"healthcheck", "-connect-timeout", "30s", "-rpc-timeout", "30s"}, args...)
	}
	for _, tc := range []struct {
		args []string
		want int
	}{
		{ask("-addr", s.addr, "-service", "database"), 0},
		{ask("-addr", s.addr, "-service", "nobody"), 3},
		{ask("-http", "http://"+s.web+"/ready"), 0},
		{[]string{"healthcheck", "-file", filepath.Join(s.folder, "health")}, 0},
		{[]string{"healthcheck"}, 1},
		{[]string{"-h"}, 0},
		{[]string{"serve"}, 1},
	} {
		p := testdeps.Start(t, prepare(t, tc.args))
		if code := p.Wait(patience); code != tc.want {
			t.Errorf("server %q: exit code %d, want %d\n%s", tc.args, code, tc.want, p.Output())
		}
	}
}

func TestTestService(t *testing.T) {
	t.Parallel()
	s := start(t, "INVENTORY_TESTSERVICE=true")
	s.becomes("grpc.testing.TestService", serving)
	_, err := testpb.NewTestServiceClient(s.conn).UnaryCall(call(t), &testpb.SimpleRequest{
		ResponseStatus: &testpb.EchoStatus{Code: int32(codes.DataLoss), Message: "as ordered"},
	})
	if status.Code(err) != codes.DataLoss {
		t.Errorf("error %v, want DATA_LOSS as ordered", err)
	}
}
