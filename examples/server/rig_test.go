package main_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

const patience = 30 * time.Second // The test machine may be slow; what is tested is not the time.

// server is the real program, running.
type server struct {
	*testdeps.Process

	t      *testing.T
	folder string
	addr   string
	web    string
	conn   *grpc.ClientConn
	health healthpb.HealthClient
	report vitalspb.HealthReportServiceClient
	items  inventoryv1.InventoryClient
}

func TestMain(m *testing.M) {
	testdeps.Parallel(6)
	os.Exit(m.Run())
}

// prepare returns the command that starts a server with frequent checks, and with nothing in its environment but
// what is given.
func prepare(t *testing.T, args []string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(testdeps.Server(t), args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir,
		"INVENTORY_DB=" + filepath.Join(cmd.Dir, "inventory.db"),
		"PLUGIN_HEALTH_FILE_PATH=" + filepath.Join(cmd.Dir, "health"),
		"PLUGIN_HEALTH_CHECK_INTERVAL=300ms", "PLUGIN_HEALTH_CHECK_TIMEOUT=1", "PLUGIN_HEALTH_DRAIN_DELAY=1",
	}, env...)
	return cmd
}

// start runs a server. The transport is plaintext unless told otherwise.
func start(t *testing.T, env ...string) *server {
	t.Helper()
	return startWith(t, insecure.NewCredentials(), env...)
}

func startWith(t *testing.T, secrecy credentials.TransportCredentials, env ...string) *server {
	t.Helper()
	s := &server{t: t, addr: testdeps.Addr(testdeps.Port(t)), web: testdeps.Addr(testdeps.Port(t))}
	cmd := prepare(t, nil, append([]string{"INVENTORY_ADDR=" + s.addr, "PLUGIN_HEALTH_HTTP_ADDR=" + s.web}, env...)...)
	s.folder = cmd.Dir
	s.Process = testdeps.Start(t, cmd)
	var err error
	s.conn, err = grpc.NewClient(s.addr, grpc.WithTransportCredentials(secrecy))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.conn.Close() })
	s.health = healthpb.NewHealthClient(s.conn)
	s.report = vitalspb.NewHealthReportServiceClient(s.conn)
	s.items = inventoryv1.NewInventoryClient(s.conn)
	return s
}

// call bounds one call; the connection may still be coming up.
func call(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// becomes waits until a name of the health service has a status.
func (s *server) becomes(name string, want healthpb.HealthCheckResponse_ServingStatus) {
	s.t.Helper()
	testdeps.Eventually(s.t, patience, func() error {
		select {
		case <-s.Exited():
			s.t.Fatalf("the server has ended:\n%s", s.Output())
		default:
		}
		resp, err := s.health.Check(call(s.t), &healthpb.HealthCheckRequest{Service: name}, grpc.WaitForReady(true))
		if err == nil && resp.GetStatus() != want {
			err = fmt.Errorf("%q is %v, want %v", name, resp.GetStatus(), want)
		}
		return err
	})
}

// metric waits until a metric of the report has a value and a status.
func (s *server) metric(name, value, status string) {
	s.t.Helper()
	testdeps.Eventually(s.t, patience, func() error {
		resp, err := s.report.GetHealthReport(call(s.t), &vitalspb.HealthReportRequest{})
		if err != nil {
			return err
		}
		got := resp.GetMetrics()[name]
		if got.GetValue() != value || got.GetStatus() != status {
			return fmt.Errorf("%s is %q (%s), want %q (%s)", name, got.GetValue(), got.GetStatus(), value, status)
		}
		return nil
	})
}

// answers waits until a path of the HTTP door answers with a code.
func (s *server) answers(path string, want int) {
	s.t.Helper()
	testdeps.Eventually(s.t, patience, func() error {
		resp, err := http.Get("http://" + s.web + path)
		if err != nil {
			return err
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			return fmt.Errorf("%s answers %d, want %d", path, resp.StatusCode, want)
		}
		return nil
	})
}

func (s *server) put(sku string) error {
	_, err := s.items.Put(call(s.t), &inventoryv1.PutRequest{Item: &inventoryv1.Item{Sku: sku, Name: "Any", Quantity: 1}})
	return err
}

func (s *server) get(sku string) (*inventoryv1.GetResponse, error) {
	return s.items.Get(call(s.t), &inventoryv1.GetRequest{Sku: sku})
}
