package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/vitals-go/vitals/internal/e2e/endpoints"
	"github.com/vitals-go/vitals/internal/e2e/rig"
)

// target is the example server, as a process of its own.
type target struct {
	*endpoints.Endpoints

	process *rig.Process
	folder  string
}

// start builds the server and waits until it is ready.
func start(ctx context.Context) (*target, error) {
	t := &target{}
	if err := t.start(ctx); err != nil {
		t.stop()
		return nil, err
	}
	return t, nil
}

func (t *target) start(ctx context.Context) (err error) {
	if t.folder, err = os.MkdirTemp("", "soak-"); err != nil {
		return err
	}
	binary, err := rig.BuildServer(ctx, t.folder)
	if err != nil {
		return err
	}
	if t.Endpoints, err = endpoints.New(ctx, binary, t.folder); err != nil {
		return err
	}
	t.HTTP.Timeout = 10 * time.Second
	server := exec.CommandContext(context.WithoutCancel(ctx), binary)
	server.Env = t.ServerEnv(t.folder, "PLUGIN_HEALTH_CHECK_INTERVAL=1", "PLUGIN_HEALTH_DRAIN_DELAY=0")
	if t.process, err = rig.Start(server); err != nil {
		return err
	}
	return rig.Eventually(ctx, time.Minute, func() error {
		code, _, err := t.Get(ctx, "/ready")
		if err == nil && code != http.StatusOK {
			err = fmt.Errorf("GET /ready = %d", code)
		}
		return err
	})
}

// stop ends the server and removes what it has written.
func (t *target) stop() {
	if t.process != nil {
		t.process.End(syscall.SIGTERM)
	}
	if t.Endpoints != nil {
		_ = t.Close() // The server has gone.
	}
	_ = os.RemoveAll(t.folder) // What is left lies in the temporary folder.
}
