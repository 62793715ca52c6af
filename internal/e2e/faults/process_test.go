package faults

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

const inventoryName = "inventory.v1.Inventory"

// process is the example server, as a process of its own.
type process struct {
	*testdeps.Process

	t          *testing.T
	env        []string
	folder     string
	addr       string
	web        string
	healthFile string
	health     healthpb.HealthClient
	report     vitalspb.HealthReportServiceClient
	items      inventoryv1.InventoryClient
}

// startServer starts a server whose resources are never critical, so that only its dependencies decide.
func startServer(t *testing.T, env ...string) *process {
	t.Helper()
	p := &process{
		t: t, folder: t.TempDir(), addr: testdeps.Addr(testdeps.Port(t)), web: testdeps.Addr(testdeps.Port(t)),
	}
	p.healthFile = filepath.Join(p.folder, "health")
	p.env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + p.folder, "INVENTORY_ADDR=" + p.addr, "INVENTORY_DB=:memory:",
		"PLUGIN_HEALTH_HTTP_ADDR=" + p.web, "PLUGIN_HEALTH_FILE_PATH=" + p.healthFile, "PLUGIN_ENABLE_PROMETHEUS=true",
		"PLUGIN_HEALTH_CHECK_INTERVAL=500ms", "PLUGIN_HEALTH_CHECK_TIMEOUT=1500ms", "PLUGIN_HEALTH_DRAIN_DELAY=300ms",
		"PLUGIN_RESOURCE_CPU_THRESHOLD=100", "PLUGIN_RESOURCE_MEMORY_THRESHOLD=100", "PLUGIN_RESOURCE_DISK_THRESHOLD=100",
	}, env...)
	p.start()
	conn := dial(t, p.addr)
	p.health = healthpb.NewHealthClient(conn)
	p.report = vitalspb.NewHealthReportServiceClient(conn)
	p.items = inventoryv1.NewInventoryClient(conn)
	return p
}

// start starts the program, once more if it has ended.
func (p *process) start() {
	p.t.Helper()
	path, err := binary()
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(p.t.Context()), path)
	cmd.Dir, cmd.Env = p.folder, p.env
	p.Process = testdeps.Start(p.t, cmd)
}

// becomes waits until a name has a status.
func (p *process) becomes(name string, want healthpb.HealthCheckResponse_ServingStatus) {
	p.t.Helper()
	testdeps.Eventually(p.t, patience, func() error {
		ctx, cancel := context.WithTimeout(p.t.Context(), 5*time.Second)
		defer cancel()
		resp, err := p.health.Check(ctx, &healthpb.HealthCheckRequest{Service: name}, grpc.WaitForReady(true))
		if err != nil || resp.GetStatus() != want {
			return fmt.Errorf("%q is %v (%w), want %v", name, resp.GetStatus(), orNone(err), want)
		}
		return nil
	})
}

// get asks the HTTP door.
func (p *process) get(path string, header ...string) (code int, text string, err error) {
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, "http://"+p.web+path, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	request.Close = true
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, fmt.Sprint(resp.Header) + "\n" + string(body), err
}

// verdict is what all doors should say.
type verdict struct{ database, cache string } // statuses of the dependencies

func (v verdict) ready() bool { return v.database != "critical" && v.database != "unknown" }

// disagree asks every door and returns what differs from the verdict.
func (p *process) disagree(want verdict) error {
	for _, ask := range []func(verdict) error{p.askReport, p.askHealth, p.askWeb, p.askMetrics, p.askFile} {
		if err := ask(want); err != nil {
			return err
		}
	}
	return nil
}

func (p *process) askReport(want verdict) error {
	report, err := p.report.GetHealthReport(p.t.Context(), &vitalspb.HealthReportRequest{})
	if err != nil {
		return err
	}
	database, cache := report.GetMetrics()["dependency_database"], report.GetMetrics()["dependency_cache"]
	if database.GetStatus() != want.database || cache.GetStatus() != want.cache {
		return fmt.Errorf("report: database %v, cache %v", database, cache)
	}
	if (report.GetOverallStatus() == "critical") == want.ready() {
		return fmt.Errorf("report: overall %s", report.GetOverallStatus())
	}
	return nil
}

func (p *process) askHealth(want verdict) error {
	for name, serving := range map[string]bool{
		"": want.ready(), "readiness": want.ready(), inventoryName: want.ready(), "database": want.ready(),
		"cache": true, "liveness": true, "startup": true,
	} {
		resp, err := p.health.Check(p.t.Context(), &healthpb.HealthCheckRequest{Service: name})
		if err != nil || (resp.GetStatus() == healthpb.HealthCheckResponse_SERVING) != serving {
			return fmt.Errorf("Check of %q: %v, %w", name, resp.GetStatus(), orNone(err))
		}
	}
	return nil
}

func (p *process) askWeb(want verdict) error {
	for path, good := range map[string]bool{
		"/ready": want.ready(), "/health": want.ready(), "/health/database": want.ready(),
		"/live": true, "/startup": true, "/health/cache": true,
	} {
		code, _, err := p.get(path)
		if err != nil || (code == http.StatusOK) != good {
			return fmt.Errorf("%s answers %d, %w", path, code, orNone(err))
		}
	}
	return nil
}

func (p *process) askMetrics(want verdict) error {
	_, text, err := p.get("/metrics")
	if err != nil {
		return err
	}
	ready := map[bool]string{false: "0", true: "1"}[want.ready()]
	for _, line := range []string{
		`health_status{service=""} ` + ready, `health_status{service="readiness"} ` + ready,
		`health_status{service="database"} ` + ready, `health_status{service="cache"} 1`, `health_status{service="liveness"} 1`,
		`health_check_state{check="database",state="` + want.database + `"} 1`,
		`health_check_state{check="cache",state="` + want.cache + `"} 1`,
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			return fmt.Errorf("/metrics lacks %s", line)
		}
	}
	return nil
}

func (p *process) askFile(want verdict) error {
	status, err := probes.ReadFile(p.healthFile)
	if err != nil {
		return err
	}
	if status.Ready != want.ready() || status.Healthy != want.ready() || !status.Live {
		return fmt.Errorf("file: %+v", status)
	}
	return nil
}
