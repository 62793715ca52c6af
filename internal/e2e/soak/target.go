package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/vitals-go/vitals/internal/e2e/rig"
)

// target is the example server, as a process of its own.
type target struct {
	process *rig.Process
	folder  string
	addr    string // gRPC
	web     string // HTTP
}

// start builds the server and waits until it is ready.
func start(ctx context.Context) (t *target, err error) {
	t = &target{}
	if t.folder, err = os.MkdirTemp("", "soak-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			t.stop()
		}
	}()
	binary, err := rig.BuildServer(ctx, t.folder)
	if err != nil {
		return nil, err
	}
	ports := [2]int{}
	for i := range ports {
		if ports[i], err = rig.Port(ctx); err != nil {
			return nil, err
		}
	}
	t.addr, t.web = rig.Addr(ports[0]), rig.Addr(ports[1])
	server := exec.CommandContext(context.WithoutCancel(ctx), binary)
	server.Env = []string{
		"HOME=" + t.folder, "INVENTORY_ADDR=" + t.addr, "INVENTORY_DB=" + filepath.Join(t.folder, "inventory.db"),
		"PLUGIN_HEALTH_HTTP_ADDR=" + t.web, "PLUGIN_HEALTH_FILE_PATH=" + filepath.Join(t.folder, "health"),
		"PLUGIN_ENABLE_PROMETHEUS=true", "PLUGIN_HEALTH_CHECK_INTERVAL=1", "PLUGIN_HEALTH_DRAIN_DELAY=0",
	}
	if t.process, err = rig.Start(server); err != nil {
		return nil, err
	}
	return t, rig.Eventually(ctx, time.Minute, func() error {
		code, _, err := t.get(ctx, "/ready")
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
	_ = os.RemoveAll(t.folder) // Nobody is left to be told.
}

// get asks the HTTP door on a connection of its own.
func (t *target) get(ctx context.Context, path string) (code int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.web+path, nil)
	if err != nil {
		return 0, nil, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	answer, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(answer.Body)
	return answer.StatusCode, body, err
}

// dial returns a new connection to the gRPC door.
func (t *target) dial() (*grpc.ClientConn, error) {
	return grpc.NewClient(t.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
}
