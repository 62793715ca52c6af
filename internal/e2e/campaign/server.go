package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
	"github.com/vitals-go/vitals/internal/e2e/rig"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

const inventoryName = "inventory.v1.Inventory"

// doors are the ways into a server.
type doors struct {
	binary string // whose healthcheck command is asked
	addr   string // gRPC
	plain  string // the second, health-only listener
	web    string // HTTP
	file   string // the health file
	clock  string // the file that holds how far the server's clock is pushed; empty for none

	health  healthpb.HealthClient
	second  healthpb.HealthClient // behind plain
	reports vitalspb.HealthReportServiceClient
	items   inventoryv1.InventoryClient
	http    *http.Client
	conns   []*grpc.ClientConn
}

// open connects to every door, lazily.
func (d *doors) open() error {
	conn, err := dial(d.addr)
	if err != nil {
		return err
	}
	second, err := dial(d.plain)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	// Users have a connection of their own, so that floods of probers are not in their way.
	users, err := dial(d.addr)
	if err != nil {
		return errors.Join(err, conn.Close(), second.Close())
	}
	d.conns = []*grpc.ClientConn{conn, second, users}
	d.health, d.second = healthpb.NewHealthClient(conn), healthpb.NewHealthClient(second)
	d.reports, d.items = vitalspb.NewHealthReportServiceClient(conn), inventoryv1.NewInventoryClient(users)
	d.http = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // As a kubelet does.
	return nil
}

func (d *doors) close() {
	for _, conn := range d.conns {
		_ = conn.Close()
	}
}

// dial connects again soon after a server has gone.
func dial(addr string) (*grpc.ClientConn, error) {
	retry := backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1, MaxDelay: 50 * time.Millisecond}
	return grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: retry, MinConnectTimeout: time.Second}))
}

// newServer prepares the server that is tried: everything is configured, nothing has been started.
func newServer(ctx context.Context, path, folder, healthFolder string, s settings, env []string) (*program, *doors, error) {
	var ports [3]int
	for i := range ports {
		port, err := rig.Port(ctx)
		if err != nil {
			return nil, nil, err
		}
		ports[i] = port
	}
	d := &doors{
		binary: path, addr: rig.Addr(ports[0]), plain: rig.Addr(ports[1]), web: rig.Addr(ports[2]),
		file: filepath.Join(healthFolder, "health"),
	}
	p := &program{path: path, folder: folder, addr: d.addr, said: &transcript{}}
	p.env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "INVENTORY_ADDR=" + d.addr, "INVENTORY_DB=" + filepath.Join(folder, "inventory.db"),
		"PLUGIN_HEALTH_HTTP_ADDR=" + d.web, "PLUGIN_HEALTH_GRPC_ADDR=" + d.plain, "PLUGIN_HEALTH_FILE_PATH=" + d.file,
		"PLUGIN_ENABLE_PROMETHEUS=true",
		"PLUGIN_HEALTH_CHECK_INTERVAL=" + s.interval.String(), "PLUGIN_HEALTH_CHECK_TIMEOUT=" + s.timeout.String(),
		"PLUGIN_HEALTH_DRAIN_DELAY=" + s.drain.String(), "PLUGIN_HEALTH_SHUTDOWN_TIMEOUT=" + s.shutdown.String(),
		// The machine is not what is tried: its resources are never critical.
		"PLUGIN_RESOURCE_CPU_THRESHOLD=100", "PLUGIN_RESOURCE_MEMORY_THRESHOLD=100", "PLUGIN_RESOURCE_DISK_THRESHOLD=100",
	}, env...)
	return p, d, d.open()
}
