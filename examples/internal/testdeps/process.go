package testdeps

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is a program that a test runs beside itself. Its methods are for the test's goroutine.
type Process struct {
	t      testing.TB
	cmd    *exec.Cmd
	output *log
	exited chan struct{} // closed when the program has ended and cmd.ProcessState is set
}

// untilKilled is the context of a program that Process.Kill ends, and not before the test's other cleanups.
func untilKilled(t testing.TB) context.Context { return context.WithoutCancel(t.Context()) }

// Start runs a command until it ends by itself or the test ends. Its output is shown when the test fails.
func Start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{t: t, cmd: cmd, output: &log{}, exited: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.output, p.output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait() // The state says it all.
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.Thaw()
		p.Kill()
		if t.Failed() {
			t.Logf("output of %s:\n%s", filepath.Base(cmd.Path), p.Output())
		}
	})
	return p
}

// Output returns what the program has written so far.
func (p *Process) Output() string { return p.output.String() }

// Signal sends a signal to the program.
func (p *Process) Signal(sig syscall.Signal) {
	select {
	case <-p.exited:
	default:
		_ = p.cmd.Process.Signal(sig) // It may have ended by now.
	}
}

// Kill ends the program at once and waits until it has gone.
func (p *Process) Kill() { p.end(syscall.SIGKILL) }

func (p *Process) end(sig syscall.Signal) {
	p.Signal(sig)
	select {
	case <-p.exited:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// Wait returns the exit code of the program, which must end in time; -1 if a signal ended it.
func (p *Process) Wait(within time.Duration) int {
	p.t.Helper()
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(within):
		p.t.Fatalf("%s has not ended within %v", filepath.Base(p.cmd.Path), within)
		return 0
	}
}

// Exited returns a channel that is closed when the program has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Freeze stops the program and its children without ending them: connections stay open, nobody answers.
func (p *Process) Freeze() {
	p.Signal(syscall.SIGSTOP) // The parent first, so that it starts no more.
	for _, pid := range p.children() {
		_ = syscall.Kill(pid, syscall.SIGSTOP)
	}
}

// Thaw lets a frozen program go on.
func (p *Process) Thaw() {
	for _, pid := range p.children() {
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
	p.Signal(syscall.SIGCONT)
}

// children lists the processes whose parent is this one, as /proc/<pid>/stat tells: pid (name) state parent …
func (p *Process) children() []int {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // The pattern is well-formed.
	var pids []int
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // It has ended.
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		if len(fields) < 2 || fields[1] != strconv.Itoa(p.cmd.Process.Pid) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(stat))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// log collects output; the program writes while the test reads.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
