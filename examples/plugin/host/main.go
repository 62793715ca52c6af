// Host keeps its values in a plugin, and keeps the plugin running.
//
//	go run ./examples/plugin/host
//
// builds the store plugin, starts it as a process, and reads commands. The host's own health, which includes the plugin's
// readiness, is on :8080 by the PLUGIN_* environment; the plugin inherits that environment and does not open the port.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/examples/plugin/supervisor"
)

const storePackage = "github.com/vitals-go/vitals/examples/plugin/store"

func main() {
	first, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, end := context.WithCancel(context.Background())
	context.AfterFunc(first, func() { stop(); end() }) // The first signal ends; by then the second one kills.
	var path string
	var mtls bool
	flag.StringVar(&path, "plugin", "", "the store plugin's program; without it, go builds the one beside this host")
	flag.BoolVar(&mtls, "mtls", true, "speak mutual TLS with the plugin")
	flag.Parse()
	if err := run(ctx, path, mtls, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, path string, mtls bool, in io.Reader, out io.Writer) error {
	path, clean, err := program(ctx, path)
	if err != nil {
		return err
	}
	defer clean()
	plugins, err := supervisor.New(supervisor.Config{
		Path: path, AutoMTLS: mtls, Env: []string{"KV_CHAOS=true"},
		Logger:       slog.Default(),
		PluginLogger: hclog.New(&hclog.LoggerOptions{Name: "go-plugin", Level: hclog.Error, Output: os.Stderr}),
	})
	if err != nil {
		return err
	}
	health, err := ownHealth(plugins)
	if err != nil {
		return err
	}
	return work(ctx, plugins, health, in, out)
}

// ownHealth is the host's: it is ready while its plugin is.
func ownHealth(plugins *supervisor.Supervisor) (*vitals.Health, error) {
	cfg, err := vitals.ConfigFromEnv()
	if err != nil {
		return nil, err
	}
	cfg.Dependencies = []checker.Check{{
		Name: "store", Title: "The store plugin", Run: plugins.Check,
		Interval: time.Second, FailingInterval: 200 * time.Millisecond, Timeout: time.Second,
	}}
	cfg.DrainDelay = -1 // no load balancer is in front of a host
	return vitals.New(cfg)
}

// work runs everything until ctx ends or the command quit.
func work(ctx context.Context, plugins *supervisor.Supervisor, health *vitals.Health, in io.Reader, out io.Writer) error {
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	var running sync.WaitGroup
	var pluginErr, healthErr error
	running.Go(func() { pluginErr = plugins.Run(ctx) })
	running.Go(func() {
		healthErr = health.Run(ctx)
		quit() // A door that cannot be opened is a mistake of the operator.
	})
	fmt.Fprintln(out, usage)
	shell := &shell{plugins: plugins, health: health, out: out}
	go func() { // Nothing can interrupt a read from the standard input, so this is not waited for.
		if shell.read(ctx, in) {
			quit()
		}
	}()
	running.Wait()
	return errors.Join(pluginErr, healthErr)
}

// program returns where the plugin's program is, built if need be, and what removes it again.
func program(ctx context.Context, path string) (string, func(), error) {
	if path != "" {
		return path, func() {}, nil
	}
	folder, err := os.MkdirTemp("", "kv-store-")
	if err != nil {
		return "", nil, err
	}
	clean := func() { _ = os.RemoveAll(folder) }
	path = filepath.Join(folder, "store.exe") // Windows requires the extension.
	if output, err := exec.CommandContext(ctx, "go", "build", "-o", path, storePackage).CombinedOutput(); err != nil {
		clean()
		return "", nil, fmt.Errorf("cannot build %s: %w\n%s", storePackage, err, output)
	}
	return path, clean, nil
}
