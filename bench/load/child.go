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

// child is a process of this program that takes commands on its standard input, a line each, and answers each with a
// line of JSON.
type child struct {
	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// startChild starts this program with the arguments given, and reads its first line into hello.
func startChild(ctx context.Context, hello any, arguments ...string) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	process := exec.CommandContext(ctx, program, arguments...)
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
	if err := c.answer(hello); err != nil {
		return nil, errors.Join(fmt.Errorf("%v did not start: %w", arguments, err), c.stop())
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

// order sends a command and reads the answer, which comes when the command has been carried out.
func (c *child) order(command string, into any) error {
	if _, err := io.WriteString(c.in, command+"\n"); err != nil {
		return err
	}
	return c.answer(into)
}

// resident returns the bytes of memory that the process occupies, 0 where the system does not report it.
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

// stop ends the process as the end of its input does, and waits for it.
func (c *child) stop() error {
	return errors.Join(c.in.Close(), c.process.Wait())
}

// obey carries out the commands of the parent until there are no more.
func obey(in io.Reader, out io.Writer, carryOut func(command string) (answer any, err error)) error {
	answers := json.NewEncoder(out)
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		answer, err := carryOut(lines.Text())
		if err != nil {
			return err
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
	return lines.Err()
}
