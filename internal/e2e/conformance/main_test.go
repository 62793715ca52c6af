package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/internal/e2e/endpoints"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// TestExampleServerKeepsEveryRule judges the example server as a process of its own, at every door: its upstream is a
// server that the test takes away and brings back.
func TestExampleServerKeepsEveryRule(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	e, err := endpoints.New(t.Context(), testdeps.Server(t), folder)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), e.Binary)
	cmd.Dir, cmd.Env = folder, e.ServerEnv(folder, "PLUGIN_HEALTH_GRPC_ADDR=",
		"PLUGIN_HEALTH_CHECK_INTERVAL=500ms", "PLUGIN_HEALTH_CHECK_TIMEOUT=5s", "PLUGIN_HEALTH_DRAIN_DELAY=3s")
	server := testdeps.Start(t, cmd)
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{
		"-addr", e.Addr, "-names", "inventory.v1.Inventory,database", "-http", "http://" + e.Web, "-file", e.File,
		"-probe", fmt.Sprintf("%s healthcheck -connect-timeout 5s -rpc-timeout 5s -addr %s -service readiness", e.Binary, e.Addr),
		"-pid", fmt.Sprint(cmd.Process.Pid), "-drain-delay", "3s", "-patience", "30s",
	}, &stdout, &stderr)
	if code != exitKept || stderr.Len() > 0 {
		t.Errorf("exit code %d\n%s%s", code, stderr.String(), stdout.String())
	}
	for line := range strings.Lines(stdout.String()) {
		if rule, untested := strings.CutPrefix(line, "untested  "); untested && !strings.HasPrefix(rule, "fail.") && !strings.HasPrefix(rule, "watch.follows") {
			t.Errorf("untested: %s", rule)
		}
	}
	<-server.Exited()
}

// TestHealthServerOfGRPC judges one by hand, with its faults: the switch is a file that commands make and remove.
func TestHealthServerOfGRPC(t *testing.T) {
	t.Parallel()
	lis, err := testdeps.Listen(t, 0)
	if err != nil {
		t.Fatal(err)
	}
	server, theirs := grpc.NewServer(), health.NewServer()
	healthpb.RegisterHealthServer(server, theirs)
	served := make(chan error, 1)
	go func() { served <- server.Serve(lis) }()
	defer func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	args := []string{"-addr", lis.Addr().String(), "-names", "shop.v1.Orders", "-quiet", "1ms"}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), args, &stdout, &stderr); code != exitBroken || !strings.Contains(stdout.String(), "BROKEN    check.known") {
		t.Errorf("a name that it does not know: exit code %d\n%s%s", code, stderr.String(), stdout.String())
	}
	theirs.SetServingStatus("shop.v1.Orders", healthpb.HealthCheckResponse_SERVING)
	stdout.Reset()
	if code := run(t.Context(), append(args, "-protocol"), &stdout, &stderr); code != exitKept || !strings.Contains(stdout.String(), "11 kept, 0 broken") {
		t.Errorf("exit code %d\n%s%s", code, stderr.String(), stdout.String())
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		args []string
		code int
		says string
	}{
		"help":              {[]string{"-h"}, exitKept, "-drain-delay"},
		"nothing":           {nil, exitUnjudged, "-addr is required"},
		"half a check":      {[]string{"-addr", "a:1", "-check", "db"}, exitUnjudged, "need each other"},
		"an unknown rule":   {[]string{"-addr", "a:1", "-skip", "list.nmaes"}, exitUnjudged, "list.nmaes"},
		"too many words":    {[]string{"-addr", "a:1", "word"}, exitUnjudged, "word"},
		"an unknown flag":   {[]string{"-adr", "a:1"}, exitUnjudged, "-adr"},
		"half of an ending": {[]string{"-addr", "a:1", "-drain-delay", "1s"}, exitUnjudged, "DrainDelay"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), tt.args, &stdout, &stderr); code != tt.code || !strings.Contains(stderr.String(), tt.says) {
			t.Errorf("%s: exit code %d, %s", name, code, stderr.String())
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupted"))
	var stderr bytes.Buffer
	if code := run(ctx, []string{"-addr", "127.0.0.1:1"}, new(bytes.Buffer), &stderr); code != exitUnjudged || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("interrupted: exit code %d, %s", code, stderr.String())
	}
}
