package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals/examples/plugin/testplugin"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// console is a host and the two ends of its terminal.
type console struct {
	in    io.Writer
	lines *bufio.Scanner
	ended chan error
}

func start(t *testing.T, program string) *console {
	t.Helper()
	inside, in := io.Pipe()
	out, outside := io.Pipe()
	c := &console{in: in, lines: bufio.NewScanner(out), ended: make(chan error, 1)}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	go func() {
		c.ended <- run(ctx, program, true, inside, outside)
		outside.Close()
	}()
	t.Cleanup(func() {
		cancel()
		in.Close()
		out.Close()
	})
	return c
}

// say types a line and returns the first line of the answer.
func (c *console) say(t *testing.T, line string) string {
	t.Helper()
	if _, err := io.WriteString(c.in, line+"\n"); err != nil {
		t.Fatal(err)
	}
	if !c.lines.Scan() {
		t.Fatalf("no answer to %q: %v", line, c.lines.Err())
	}
	return c.lines.Text()
}

func (c *console) await(t *testing.T, line, want string) {
	t.Helper()
	testdeps.Eventually(t, 30*time.Second, func() error {
		if answer := c.say(t, line); !strings.Contains(answer, want) {
			return errors.New(answer)
		}
		return nil
	})
}

func TestHostKeepsItsPluginAlive(t *testing.T) {
	file := filepath.Join(t.TempDir(), "health")
	program := testdeps.Program(t, "plugin/store")
	t.Setenv("PLUGIN_HEALTH_HTTP_ADDR", testdeps.Addr(testdeps.Port(t)))
	t.Setenv("PLUGIN_HEALTH_FILE_PATH", file)
	c := start(t, program)
	for range strings.Count(usage, "\n") + 1 {
		c.lines.Scan()
	}
	c.await(t, "put a 1", "ok")
	if got := c.say(t, "get a"); got != "1" {
		t.Errorf("get a: %q", got)
	}
	c.await(t, "health", ", 0 restarts") // both want the same port and the same file; only the host takes them
	if _, err := os.Stat(file); err != nil {
		t.Errorf("the host has no health file: %v", err)
	}
	if got := c.say(t, "ping"); !strings.Contains(got, "answered") {
		t.Errorf("ping: %q", got)
	}
	c.say(t, "put chaos/exit x")
	c.await(t, "health", ", 1 restarts")
	c.await(t, "put a 2", "ok")
	if _, err := io.WriteString(c.in, "\nquit\n"); err != nil {
		t.Fatal(err)
	}
	if err := <-c.ended; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the health file is left: %v", err)
	}
	if children := testplugin.Children(t); len(children) > 0 {
		t.Errorf("processes are left: %q", children)
	}
}

func TestHostNeedsItsDoors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	t.Setenv("PLUGIN_HEALTH_HTTP_ADDR", taken.Addr().String())
	t.Setenv("PLUGIN_HEALTH_FILE_PATH", "")
	err = run(t.Context(), "/bin/false", false, strings.NewReader(""), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "PLUGIN_HEALTH_HTTP_ADDR") {
		t.Errorf("run: %v, want an error that names the variable", err)
	}
}
