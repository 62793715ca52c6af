package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/vitals-go/vitals/internal/freeport"
)

// process is one server of the experiment. Its methods are for one goroutine.
type process struct {
	name    string
	address string
	busy    int
	cmd     *exec.Cmd
	stdin   io.Closer
}

// startProcesses starts a server for each name; the last one is stressed by busy goroutines.
func startProcesses(ctx context.Context, busy int, names ...string) (_ []*process, err error) {
	var all []*process
	defer func() {
		if err != nil {
			stopProcesses(all)
		}
	}()
	for i, name := range names {
		p := &process{name: name}
		if i == len(names)-1 {
			p.busy = busy
		}
		var port int
		if port, err = freeport.Take(ctx); err != nil {
			return nil, err
		}
		p.address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if err = p.start(ctx); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func stopProcesses(all []*process) {
	for _, p := range all {
		p.stdin.Close()
	}
	for _, p := range all {
		_ = p.cmd.Wait()
	}
}

// start runs this program again, as a server, and returns when it listens.
func (p *process) start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), self, serverCommand,
		"-name", p.name, "-addr", p.address, "-busy", strconv.Itoa(p.busy))
	p.cmd.Stderr = os.Stderr
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || strings.TrimSpace(line) != p.address {
		p.stdin.Close()
		return errors.Join(fmt.Errorf("server %s does not listen on %s: %q", p.name, p.address, line), err, p.cmd.Wait())
	}
	return nil
}

// restart is a release: drain, end, start. Nothing stresses the new server.
func (p *process) restart(ctx context.Context) error {
	p.stdin.Close()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("server %s: %w", p.name, err)
	}
	p.busy = 0
	return p.start(ctx)
}
