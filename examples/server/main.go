// Server is an inventory service with vitals. It keeps its items in SQLite or PostgreSQL, and optionally uses a Redis cache,
// an HTTP price service and another inventory server as upstream. Each of these has a health check and a circuit breaker.
//
//	go run ./examples/server
//
// needs nothing else; once it serves, it prints what to try. `server -h` lists the environment variables; `server healthcheck` probes a
// running server, for images without a shell.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/examples/inventory"
	"github.com/vitals-go/vitals/probes/healthcheck"
	"github.com/vitals-go/vitals/servicer"
)

// version is shown in the report, on the status page and in the metrics.
const version = "1.0.0"

func main() {
	if len(os.Args) > 1 {
		os.Exit(command(os.Args[1:]))
	}
	first, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, drain := context.WithCancel(context.Background())
	context.AfterFunc(first, func() { stop(); drain() }) // The first signal drains; by then the second one kills.
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func command(args []string) int {
	switch args[0] {
	case "healthcheck":
		return healthcheck.Main(args[1:], os.Stdout, os.Stderr)
	case "-h", "-help", "--help", "help":
		fmt.Println(usage)
		return 0
	}
	fmt.Fprintf(os.Stderr, "unknown argument %q\n\n%s\n", args[0], usage)
	return 1
}

func run(ctx context.Context) error {
	cfg, cfgErr := configFromEnv()
	fmt.Printf("starting the inventory, data in %s%s\n", cfg.storage(), cfg.extras())
	deps, depsErr := connect(cfg)
	defer deps.close()
	export, exportErr := openTelemetry(ctx)
	if err := errors.Join(cfgErr, depsErr, exportErr); err != nil {
		return err
	}
	items, err := inventory.New(deps.inventory)
	if err != nil {
		return err
	}
	cfg.health.Version = version
	cfg.health.Dependencies = deps.checks
	cfg.health.Breakers = deps.breakers
	export.attach(&cfg.health)
	health, err := vitals.New(cfg.health)
	if err != nil {
		return err
	}
	var listen net.ListenConfig
	lis, err := listen.Listen(ctx, "tcp", cfg.addr)
	if err != nil {
		return fmt.Errorf("INVENTORY_ADDR: %w", err)
	}

	// These go on until the server has gone.
	beside, dismiss := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { items.Run(beside) })
	running.Go(func() {
		if awaitPhase(beside, health, servicer.Ready) == servicer.Ready {
			announce(os.Stdout, cfg, lis.Addr(), program(os.Args[0]))
		}
	})
	running.Go(func() {
		awaitPhase(beside, health, servicer.Draining)
		// The watches of items would keep the graceful stop waiting; the last export makes use of the delay.
		time.AfterFunc(cfg.health.DrainDelay, items.EndWatches)
		export.end()
	})
	err = health.Serve(ctx, newServer(cfg, health, export, items), lis)
	dismiss()
	running.Wait()
	return err
}

// awaitPhase returns the phase of the server once it is at least want, or when ctx ends. Before Ready, listeners may not be
// open and checks have no results.
func awaitPhase(ctx context.Context, health *vitals.Health, want servicer.Phase) (phase servicer.Phase) {
	for report := range health.Server().Changes(ctx) {
		if phase = report.Phase; phase >= want {
			break
		}
	}
	return phase
}
