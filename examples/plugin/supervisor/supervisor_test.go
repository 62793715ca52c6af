package supervisor_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	kvv1 "github.com/vitals-go/vitals/examples/plugin/kv/v1"
	"github.com/vitals-go/vitals/examples/plugin/supervisor"
	"github.com/vitals-go/vitals/examples/plugin/testplugin"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

const patience = 30 * time.Second // The machine may be slow; what is tested is not the time.

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a supervisor at work, with a folder in which everything that it leaves behind would lie.
type rig struct {
	*supervisor.Supervisor
	folder string
	stop   context.CancelFunc
	ended  sync.WaitGroup
	t      *testing.T
}

func run(t *testing.T, cfg supervisor.Config) *rig {
	t.Helper()
	folder, err := os.MkdirTemp("", "rig-") // not t.TempDir: a socket's path holds 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	r := &rig{folder: folder, t: t}
	cfg.Path = testdeps.Program(t, "plugin/store")
	t.Setenv("TMPDIR", r.folder)
	cfg.FirstPause, cfg.LastPause = time.Millisecond, 10*time.Millisecond
	cfg.PingInterval, cfg.PingTimeout = 50*time.Millisecond, cmp.Or(cfg.PingTimeout, patience)
	cfg.StartTimeout = patience
	cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	if r.Supervisor, err = supervisor.New(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	r.stop = stop
	r.ended.Go(func() {
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { // also when the test has failed before its end
		stop()
		r.ended.Wait()
	})
	return r
}

// life waits for the plugin of the nth life, counted from 0, and returns it.
func (r *rig) life(n int64) *supervisor.Plugin {
	r.t.Helper()
	var p *supervisor.Plugin
	testdeps.Eventually(r.t, patience, func() error {
		if p = r.Plugin(); p == nil || r.Restarts() < n {
			return fmt.Errorf("no plugin, %d restarts, want %d", r.Restarts(), n)
		}
		return nil
	})
	if got := r.Restarts(); got != n {
		r.t.Fatalf("%d restarts, want %d", got, n)
	}
	return p
}

// end ends the supervisor and fails if anything is left.
func (r *rig) end() {
	r.t.Helper()
	r.stop()
	r.ended.Wait()
	if children := testplugin.Children(r.t); len(children) > 0 {
		r.t.Errorf("processes are left: %q", children)
	}
	left, err := filepath.Glob(filepath.Join(r.folder, "*"))
	if err != nil || len(left) > 0 {
		r.t.Errorf("files are left: %q, %v", left, err)
	}
}

func signal(t *testing.T, p *supervisor.Plugin, sig syscall.Signal) {
	t.Helper()
	pid, err := strconv.Atoi(p.PID())
	if err == nil {
		err = syscall.Kill(pid, sig)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (r *rig) put(key, value string) {
	r.t.Helper()
	store, err := r.Store()
	if err == nil {
		_, err = store.Put(r.t.Context(), &kvv1.PutRequest{Key: key, Value: value})
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

func TestPluginIsStartedAnewAndLosesNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		harm        func(*rig, *supervisor.Plugin)
		pingTimeout time.Duration // where nothing else finds out; an innocent plugin may be this late
	}{
		"its journal is broken": {func(r *rig, _ *supervisor.Plugin) { r.put("chaos/break", "") }, 0},
		"it is wedged":          {func(r *rig, _ *supervisor.Plugin) { r.put("chaos/wedge", "") }, 0},
		"it exits": {func(r *rig, _ *supervisor.Plugin) {
			if store, err := r.Store(); err == nil {
				_, _ = store.Put(r.t.Context(), &kvv1.PutRequest{Key: "chaos/exit"}) // cannot answer
			}
		}, 0},
		"it is killed":   {func(r *rig, p *supervisor.Plugin) { signal(r.t, p, syscall.SIGKILL) }, 0},
		"it is stopped":  {func(r *rig, p *supervisor.Plugin) { signal(r.t, p, syscall.SIGSTOP) }, 2 * time.Second},
		"it has crashed": {func(r *rig, p *supervisor.Plugin) { signal(r.t, p, syscall.SIGQUIT) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, supervisor.Config{
				AutoMTLS: true, Env: []string{"KV_CHAOS=true", "KV_JOURNAL=" + filepath.Join(t.TempDir(), "journal")},
				PingTimeout: tc.pingTimeout,
			})
			first := r.life(0)
			r.put("a", "1")
			tc.harm(r, first)
			second := r.life(1)
			if err := second.Ping(t.Context()); err != nil {
				t.Errorf("Ping: %v", err)
			}
			if err := r.Check(t.Context()); err != nil {
				t.Errorf("Check: %v", err)
			}
			store, err := r.Store()
			if err != nil {
				t.Fatal(err)
			}
			if response, err := store.Get(t.Context(), &kvv1.GetRequest{Key: "a"}); err != nil || response.Value != "1" {
				t.Errorf("Get = %q, %v; want what was put before", response.GetValue(), err)
			}
			r.end()
		})
	}
}

func TestDependencyOfThePluginIsNoReasonToRestart(t *testing.T) {
	origin := testplugin.NewOrigin(t)
	r := run(t, supervisor.Config{Env: []string{"KV_ORIGIN_URL=" + origin.URL}})
	p := r.life(0)
	for _, healthy := range []bool{true, false, true} {
		origin.Failing.Store(!healthy)
		testdeps.Eventually(t, patience, func() error {
			if err := r.Check(t.Context()); (err == nil) != healthy {
				return fmt.Errorf("Check = %w, want healthy: %v", err, healthy)
			}
			return nil
		})
	}
	report, err := p.Report(t.Context(), patience)
	if err != nil || report.Metrics["dependency_origin"].GetStatus() != "healthy" {
		t.Errorf("report = %v, %v", report, err)
	}
	if r.Plugin() != p || r.Restarts() != 0 {
		t.Errorf("%d restarts, want the same plugin", r.Restarts())
	}
	r.end()
	if _, err := r.Store(); !errors.Is(err, supervisor.ErrDown) {
		t.Errorf("Store after the end: %v, want ErrDown", err)
	}
}

// lives is how often TestManyLives kills.
const lives = 25

func TestManyLives(t *testing.T) {
	r := run(t, supervisor.Config{AutoMTLS: true, Env: []string{"KV_JOURNAL=" + filepath.Join(t.TempDir(), "journal")}})
	began := time.Now()
	for n := range int64(lives) {
		p := r.life(n)
		r.put("life", strconv.FormatInt(n, 10))
		signal(t, p, syscall.SIGKILL)
	}
	r.life(lives)
	t.Logf("%d restarts in %v", r.Restarts(), time.Since(began).Round(time.Millisecond))
	store, err := r.Store()
	if err != nil {
		t.Fatal(err)
	}
	if response, err := store.Get(t.Context(), &kvv1.GetRequest{Key: "life"}); err != nil || response.Value != strconv.Itoa(lives-1) {
		t.Errorf("Get = %q, %v; want the last life", response.GetValue(), err)
	}
	r.end()
}

func TestSupervisorEndsWhileThePluginCannotStart(t *testing.T) {
	folder := t.TempDir()
	for name, script := range map[string]string{
		"it says nothing": "exec sleep 600",
		"it babbles":      "echo hello; exec sleep 600",
		"it exits":        "exit 1",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(folder, "plugin")
			if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			s, err := supervisor.New(supervisor.Config{Path: path, FirstPause: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if err := s.Run(ctx); err != nil {
				t.Error(err)
			}
			if children := testplugin.Children(t); len(children) > 0 {
				t.Errorf("processes are left: %q", children)
			}
		})
	}
}

func TestConfigIsValidated(t *testing.T) {
	if _, err := supervisor.New(supervisor.Config{}); err == nil {
		t.Error("accepted without a program")
	}
	if _, err := supervisor.New(supervisor.Config{Path: "x", PingTimeout: -1}); err == nil {
		t.Error("accepted with a negative time")
	}
}
