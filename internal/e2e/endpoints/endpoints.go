// Package endpoints compares everything that examples/server reports, on every endpoint, with what an oracle expects.
package endpoints

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
	"github.com/vitals-go/vitals/internal/e2e/oracle"
	"github.com/vitals-go/vitals/internal/e2e/rig"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// Timeout is within which every endpoint answers: none waits for a dependency.
const Timeout = 2 * time.Second

// Endpoints are those of one server.
type Endpoints struct {
	Binary string   // with the command healthcheck
	Addr   string   // gRPC
	Plain  string   // the health-only listener
	Web    string   // HTTP
	File   string   // the health file
	Env    []string // of the command, beside this process'

	Health  healthpb.HealthClient
	Second  healthpb.HealthClient // on Plain
	Reports vitalspb.HealthReportServiceClient
	Items   inventoryv1.InventoryClient // on a connection of its own, so that floods of probes do not delay calls
	HTTP    *http.Client

	conns []*grpc.ClientConn
}

// New reserves addresses until ctx ends; the health file is in folder. Close closes the connections, which are opened
// when they are first used.
func New(ctx context.Context, binary, folder string) (*Endpoints, error) {
	var addrs [3]string
	for i := range addrs {
		port, err := rig.Port(ctx)
		if err != nil {
			return nil, err
		}
		addrs[i] = rig.Addr(port)
	}
	e := &Endpoints{Binary: binary, Addr: addrs[0], Plain: addrs[1], Web: addrs[2], File: filepath.Join(folder, "health")}
	for _, addr := range []string{e.Addr, e.Plain, e.Addr} {
		conn, err := Dial(addr)
		if err != nil {
			return nil, errors.Join(err, e.Close())
		}
		e.conns = append(e.conns, conn)
	}
	e.Health, e.Second = healthpb.NewHealthClient(e.conns[0]), healthpb.NewHealthClient(e.conns[1])
	e.Reports, e.Items = vitalspb.NewHealthReportServiceClient(e.conns[0]), inventoryv1.NewInventoryClient(e.conns[2])
	e.HTTP = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // as a kubelet does
	return e, nil
}

// Close closes all connections.
func (e *Endpoints) Close() error {
	var errs []error
	for _, conn := range e.conns {
		errs = append(errs, conn.Close())
	}
	return errors.Join(errs...)
}

// Dial returns a connection that is opened again 50 ms after a server has gone.
func Dial(addr string, options ...grpc.DialOption) (*grpc.ClientConn, error) {
	retry := backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1, MaxDelay: 50 * time.Millisecond}
	return grpc.NewClient(addr, append(options, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: retry, MinConnectTimeout: time.Second}))...)
}

// ServerEnv returns the environment of an examples/server with these endpoints and a database in folder. Its resources
// are never critical. Variables in env come last.
func (e *Endpoints) ServerEnv(folder string, env ...string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "INVENTORY_ADDR=" + e.Addr, "INVENTORY_DB=" + filepath.Join(folder, "inventory.db"),
		"PLUGIN_HEALTH_HTTP_ADDR=" + e.Web, "PLUGIN_HEALTH_GRPC_ADDR=" + e.Plain, "PLUGIN_HEALTH_FILE_PATH=" + e.File,
		"PLUGIN_ENABLE_PROMETHEUS=true", "PLUGIN_RESOURCE_CPU_THRESHOLD=100", "PLUGIN_RESOURCE_MEMORY_THRESHOLD=100",
		"PLUGIN_RESOURCE_DISK_THRESHOLD=100",
	}, env...)
}

// Compare compares what every endpoint reports but the command, all at once.
func (e *Endpoints) Compare(ctx context.Context, c *oracle.Comparison) {
	e.CompareAtOnce(ctx, c)
	e.compareFile(c)
}

// CompareAtOnce compares what endpoints report that follow every change before the call that makes it returns: all but
// the health file and the command.
func (e *Endpoints) CompareAtOnce(ctx context.Context, c *oracle.Comparison) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	var comparing sync.WaitGroup
	for _, compare := range []func(context.Context, *oracle.Comparison){
		e.compareCheck, e.compareSecond, e.compareList, e.compareReport, e.compareHTTP, e.compareMetrics,
	} {
		comparing.Go(func() { compare(ctx, c) })
	}
	comparing.Wait()
}

// Flood compares the answers to the cheap questions of n clients at once.
func (e *Endpoints) Flood(ctx context.Context, c *oracle.Comparison, n int) {
	var clients sync.WaitGroup
	for range n {
		clients.Go(func() {
			e.compareCheck(ctx, c)
			e.compareSecond(ctx, c)
			e.compareReport(ctx, c)
			e.compareHTTP(ctx, c)
		})
	}
	clients.Wait()
}
