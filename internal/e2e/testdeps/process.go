package testdeps

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals/internal/e2e/rig"
)

// Process is a program that a test runs beside itself. Its methods are for the test's goroutine.
type Process struct {
	*rig.Process

	t testing.TB
}

// Start runs a command until it ends by itself or the test ends. Its output is shown when the test fails.
func Start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p, err := rig.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	return own(t, p)
}

// own ends a program with the test.
func own(t testing.TB, p *rig.Process) *Process {
	t.Cleanup(func() {
		p.Thaw()
		p.Kill()
		if strings.Contains(p.Output(), "WARNING: DATA RACE") {
			t.Errorf("data race in %s", p.Name())
		}
		if t.Failed() {
			t.Logf("output of %s:\n%s", p.Name(), p.Output())
		}
	})
	return &Process{p, t}
}

// Wait returns the exit code of the program, which must end in time; -1 if a signal ended it.
func (p *Process) Wait(within time.Duration) int {
	p.t.Helper()
	code, err := p.Process.Wait(within)
	if err != nil {
		p.t.Fatal(err)
	}
	return code
}

// Server returns the path of examples/server, which is built once.
func Server(t testing.TB) string {
	t.Helper()
	return Program(t, "server")
}

// Program returns the path of a program below examples, which is built once.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := rig.Build(t.Context(), t.TempDir(), name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
