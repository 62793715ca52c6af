package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vitals-go/vitals/internal/logtest"
)

// Process is a program that runs beside its maker. All methods may be called concurrently.
type Process struct {
	cmd    *exec.Cmd
	output *logtest.Log
	exited chan struct{} // closed when the program has ended and cmd.ProcessState is set
}

// Start runs a command. Whoever starts it ends it with Kill. Output keeps what it writes where the command names no
// writer of its own.
func Start(cmd *exec.Cmd) (*Process, error) {
	p := &Process{cmd: cmd, output: new(logtest.Log), exited: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = p.output
	}
	if cmd.Stderr == nil {
		cmd.Stderr = p.output
	}
	if value, found := os.LookupEnv("GORACE"); found && cmd.Env != nil {
		cmd.Env = append(cmd.Env, "GORACE="+value)
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait() // The state says it all.
		close(p.exited)
	}()
	return p, nil
}

// Name of the program.
func (p *Process) Name() string { return filepath.Base(p.cmd.Path) }

// PID is the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

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
func (p *Process) Kill() { p.End(syscall.SIGKILL) }

// End ends the program with a signal, with SIGKILL if it has not gone after 10 s.
func (p *Process) End(sig syscall.Signal) {
	p.Signal(sig)
	if _, err := p.Wait(10 * time.Second); err != nil {
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// Wait returns the exit code of the program, -1 if a signal ended it, or an error if it has not ended in time.
func (p *Process) Wait(within time.Duration) (code int, err error) {
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-late.C:
		return 0, fmt.Errorf("%s has not ended within %v", p.Name(), within)
	}
}

// KilledBy returns the signal that ended the program, 0 if it has ended otherwise or not yet.
func (p *Process) KilledBy() syscall.Signal {
	select {
	case <-p.exited:
		if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return status.Signal()
		}
	default:
	}
	return 0
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
