package vitals_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/logtest"
	"github.com/vitals-go/vitals/internal/safefile"
)

const lastWordsSecret = "postgres://admin:hunter2@db"

// processCheck is a check of the process, which gates liveness, that fails while down is set.
func processCheck(down *atomic.Bool) checker.Check {
	return checker.Check{
		Name: "worker", Kind: checker.Process, Interval: 50 * time.Millisecond, Jitter: -1,
		Run: func(context.Context) error {
			if down.Load() {
				return errors.New(lastWordsSecret)
			}
			return nil
		},
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	body, _, err := safefile.Read(path, 4096)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(body)
}

func TestLastWordsSayWhyLivenessFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "termination-log")
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		h := newHealth(t, vitals.Config{
			Checks: []checker.Check{processCheck(&down)}, Resources: unjudged(), TerminationLog: path, DrainDelay: -1, Version: "1.2.3",
		})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- h.Run(ctx) }()
		after := func(fails bool) string {
			down.Store(fails)
			time.Sleep(time.Minute)
			synctest.Wait()
			return read(t, path)
		}
		if got := after(false); got != "" {
			t.Errorf("while all is well: %q", got)
		}
		got := after(true)
		for _, want := range []string{
			"liveness is not serving: worker: ", "overall critical, phase ready, version 1.2.3, up 1m0s", " name/liveness: SERVING to NOT_SERVING", "worker is critical (error)",
		} {
			if !strings.Contains(got, want) {
				t.Errorf("no %q in %s", want, got)
			}
		}
		if strings.Contains(got, "hunter2") || len(got) > 4096 {
			t.Errorf("too much: %s", got)
		}
		if got := after(false); got != "" {
			t.Errorf("after the recovery: %q", got)
		}
		_ = after(true)
		stop() // as a kubelet's SIGTERM does, after it has found liveness failing
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if got := read(t, path); !strings.Contains(got, "liveness is not serving") {
			t.Errorf("after a clean end while liveness fails: %q", got)
		}
	})
}

func TestLastWordsSayThatTheEndIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "termination-log")
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close()
	run := func(addr string) error {
		h := newHealth(t, vitals.Config{HTTPAddr: addr, Resources: unjudged(), TerminationLog: path, DrainDelay: -1})
		ctx, stop := context.WithCancel(t.Context())
		stop()
		return h.Run(ctx)
	}
	if err := run(""); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != "" {
		t.Errorf("after a clean end: %q", got)
	}
	h := newHealth(t, vitals.Config{HTTPAddr: lis.Addr().String(), Resources: unjudged(), TerminationLog: path})
	if err := h.Run(t.Context()); err == nil {
		t.Fatal("Run opened a port that is in use")
	}
	if got := read(t, path); !strings.HasPrefix(got, "the server ended with an error, which its caller has\n") || strings.Contains(got, lis.Addr().String()) {
		t.Errorf("got %q", got)
	}
}

func TestLastWordsAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "termination-log")
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		down.Store(true)
		cfg := vitals.Config{Checks: []checker.Check{processCheck(&down)}, Resources: unjudged(), TerminationLog: path, DrainDelay: -1}
		for i := range 200 {
			cfg.Dependencies = append(cfg.Dependencies, checker.Check{
				Name: fmt.Sprintf("dependency-%d-é", i), Run: func(context.Context) error { return errors.New(lastWordsSecret) },
			})
		}
		h := newHealth(t, cfg)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- h.Run(ctx) }()
		time.Sleep(time.Minute)
		stop()
		<-ended
		if got := read(t, path); len(got) > 4096 || len(got) < 4000 || !utf8.ValidString(got) {
			t.Errorf("%d bytes, want at most 4096: %s", len(got), got)
		}
	})
}

func TestTerminationLogThatCannotBeWrittenIsLoggedOnce(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		var log logtest.Log
		h := newHealth(t, vitals.Config{
			Checks: []checker.Check{processCheck(&down)}, Resources: unjudged(), TerminationLog: dir, DrainDelay: -1,
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- h.Run(ctx) }()
		for range 3 {
			down.Store(true)
			time.Sleep(time.Minute)
			down.Store(false)
			time.Sleep(time.Minute)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if got := strings.Count(log.String(), "termination log cannot be written"); got != 1 {
			t.Errorf("logged %d times, want once", got)
		}
	})
}

// A kubelet that gives up on a process sends SIGKILL in the end: what the file says then is all that remains.
func TestLastWordsOutliveAKill(t *testing.T) {
	if path := os.Getenv("VITALS_TEST_TERMINATION_LOG"); path != "" { // the process
		var down atomic.Bool
		h := newHealth(t, vitals.Config{Checks: []checker.Check{processCheck(&down)}, Resources: unjudged(), TerminationLog: path})
		time.AfterFunc(200*time.Millisecond, func() { down.Store(true) })
		_ = h.Run(t.Context())
		return
	}
	path := filepath.Join(t.TempDir(), "termination-log")
	if err := os.WriteFile(path, nil, 0o600); err != nil { // as a container runtime does, which mounts it
		t.Fatal(err)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	process := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLastWordsOutliveAKill$")
	process.Env = append(os.Environ(), "VITALS_TEST_TERMINATION_LOG="+path)
	var output bytes.Buffer
	process.Stdout, process.Stderr = &output, &output
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); read(t, path) == "" && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := process.Wait(); process.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("ended by %v, want SIGKILL", err)
	}
	after, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); !strings.HasPrefix(got, "liveness is not serving: worker: ") || strings.Contains(got, "hunter2") {
		t.Errorf("found %q\n%s", got, output.String())
	}
	if !os.SameFile(before, after) {
		t.Error("the file was replaced, which leaves the mounted one empty")
	}
}
