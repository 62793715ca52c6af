// Store is a plugin of HashiCorp's go-plugin: a key-value store that a host starts as a process and calls over gRPC. It shows
// health in a plugin: go-plugin's own health service always reports SERVING.
//
// Environment: KV_JOURNAL is the file that keeps the values, KV_ORIGIN_URL an HTTP server for keys that the store does not
// have, and with KV_CHAOS=true some keys cause faults (chaos/break, chaos/wedge, chaos/panic, chaos/exit). Run
// ./examples/plugin/host to try it.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/examples/plugin/kv"
)

// goodbye is how long the end may take: a host kills two seconds after it has asked.
const goodbye = time.Second

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	cfg, err := configFromEnv()
	if err != nil {
		return err
	}
	values, err := openJournal(cfg.journal)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{ReplaceAttr: asHost}))
	cfg.health.Logger = log
	if err := cfg.checks(values); err != nil {
		return err
	}
	health, err := vitals.New(cfg.health)
	if err != nil {
		return err
	}
	store := &service{journal: values, log: log}
	if cfg.origin != "" {
		store.origin = newOrigin(cfg.origin)
	}
	if cfg.chaos {
		store.chaos = newChaos(values)
	}
	return errors.Join(serve(health, store), closeIn(goodbye, values))
}

// serve returns when the host has said goodbye and everything has ended.
func serve(health *vitals.Health, store *service) error {
	ctx, end := context.WithCancel(context.Background())
	var running sync.WaitGroup
	var err error
	running.Go(func() { err = health.Run(ctx) })
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: kv.Handshake(),
		Plugins:         plugin.PluginSet{kv.Name: &kv.Plugin{Store: store}},
		GRPCServer:      health.PluginServer,
		Logger:          hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: os.Stderr, JSONFormat: true}),
	})
	end()
	running.Wait()
	return err
}

func closeIn(d time.Duration, values *journal) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return values.close(ctx)
}

// asHost names the attributes of a log line as go-plugin's hosts expect them, so that they keep the level.
func asHost(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return attr
	}
	switch attr.Key {
	case slog.TimeKey:
		return slog.String("@timestamp", attr.Value.Time().Format("2006-01-02T15:04:05.000000Z07:00"))
	case slog.LevelKey:
		return slog.String("@level", hclog.LevelFromString(attr.Value.String()).String())
	case slog.MessageKey:
		attr.Key = "@message"
	}
	return attr
}
