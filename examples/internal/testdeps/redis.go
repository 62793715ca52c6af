package testdeps

import (
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// Redis is a Redis server of the test's own. It forgets everything when it stops.
type Redis struct {
	*Process

	t    testing.TB
	path string
	port int
}

// NewRedis starts a Redis server.
func NewRedis(t testing.TB) *Redis {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("Redis is not installed: no redis-server in the PATH")
	}
	r := &Redis{t: t, path: path, port: Port(t)}
	r.Start()
	return r
}

// Start starts the server and waits until it accepts connections.
func (r *Redis) Start() {
	r.t.Helper()
	cmd := exec.CommandContext(untilKilled(r.t), r.path,
		"--port", strconv.Itoa(r.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
	cmd.Dir = r.t.TempDir()
	r.Process = Start(r.t, cmd)
	Eventually(r.t, 10*time.Second, func() error { return accepts(r.t, Addr(r.port)) })
}

// Stop ends the server at once.
func (r *Redis) Stop() { r.Kill() }

// URL returns the server's address.
func (r *Redis) URL() string { return "redis://" + Addr(r.port) + "/0" }
