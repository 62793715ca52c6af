package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/internal/e2e/endpoints"
	"github.com/vitals-go/vitals/internal/e2e/rig"
)

// program is an example server as a process, which may be started again and again under the same addresses.
type program struct {
	path   string
	folder string
	env    []string
	addr   string
	said   *transcript
	*rig.Process
}

// Addr is where the program serves gRPC.
func (p *program) Addr() string { return p.addr }

// Start starts the program, with further variables, and does not wait for it.
func (p *program) Start(ctx context.Context, env ...string) (err error) {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), p.path)
	cmd.Dir, cmd.Env = p.folder, append(slices.Clone(p.env), env...)
	cmd.Stdout, cmd.Stderr = p.said, p.said
	p.said.clear()
	p.Process, err = rig.Start(cmd)
	return err
}

// Stop ends the program as a crash would.
func (p *program) Stop() { p.Kill() }

// Close ends the program for good.
func (p *program) Close() {
	if p.Process != nil {
		p.Thaw()
		p.Kill()
	}
}

// transcript is what a program has written since its last start, by line.
type transcript struct {
	mu    sync.Mutex
	lines []string
	torn  string
}

// Write implements io.Writer.
func (t *transcript) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	rest := t.torn + string(text)
	for {
		line, after, whole := strings.Cut(rest, "\n")
		if !whole {
			t.torn = rest
			return len(text), nil
		}
		t.lines, rest = append(t.lines, line), after
	}
}

func (t *transcript) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines, t.torn = nil, ""
}

// all returns the lines so far.
func (t *transcript) all() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.lines)
}

// last returns the newest lines.
func (t *transcript) last(n int) []string {
	all := t.all()
	return all[max(len(all)-n, 0):]
}

const upstreamInterval = 200 * time.Millisecond

// other is the other inventory server: the same program, with nothing that it needs.
type other struct{ *program }

// Start starts the program and waits until it serves.
func (o other) Start(ctx context.Context) error {
	if err := o.program.Start(ctx); err != nil {
		return err
	}
	conn, err := endpoints.Dial(o.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	return rig.Eventually(ctx, 30*time.Second, func() error {
		resp, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
		if err == nil && resp.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			err = fmt.Errorf("the upstream is %v", resp.GetStatus())
		}
		return err
	})
}

func newUpstream(ctx context.Context, path, folder string) (other, error) {
	port, err := rig.Port(ctx)
	if err != nil {
		return other{}, err
	}
	p := other{&program{path: path, folder: folder, addr: rig.Addr(port), said: &transcript{}}}
	p.env = []string{
		"HOME=" + folder, "INVENTORY_ADDR=" + p.addr, "INVENTORY_DB=:memory:", "PLUGIN_HEALTH_HTTP_ADDR=",
		"PLUGIN_HEALTH_FILE_PATH=", "PLUGIN_HEALTH_CHECK_INTERVAL=" + upstreamInterval.String(),
		"PLUGIN_RESOURCE_CPU_THRESHOLD=100", "PLUGIN_RESOURCE_MEMORY_THRESHOLD=100", "PLUGIN_RESOURCE_DISK_THRESHOLD=100",
	}
	return p, p.Start(ctx)
}
