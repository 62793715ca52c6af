package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// child is the server's process, seen from the callers'.
type child struct {
	addresses
	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// startServer starts this program once more, as the server, and returns when it listens.
func startServer(ctx context.Context) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	process := exec.CommandContext(ctx, program, "-serve")
	process.Stderr = os.Stderr
	in, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, err
	}
	c := &child{process: process, in: in, out: bufio.NewReader(out)}
	if err := c.answer(&c.addresses); err != nil {
		c.stop()
		return nil, fmt.Errorf("the server did not start: %w", err)
	}
	return c, nil
}

func (c *child) answer(into any) error {
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, into)
}

// order sends a command and waits until the server has carried it out.
func (c *child) order(command string) (f figures, err error) {
	if _, err := io.WriteString(c.in, command+"\n"); err != nil {
		return f, err
	}
	return f, c.answer(&f)
}

// resident returns the bytes of memory that the server's process occupies, 0 where the system does not tell.
func (c *child) resident() uint64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.process.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, _ := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}

// stop ends the server as the end of its input does, and waits for it.
func (c *child) stop() error {
	return errors.Join(c.in.Close(), c.process.Wait())
}
