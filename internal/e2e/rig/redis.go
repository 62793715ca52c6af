package rig

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// Redis is a Redis server of its maker's own. It forgets everything when it stops.
type Redis struct {
	*Process

	path   string
	folder string
	port   int
}

// NewRedis starts a Redis server. The error wraps ErrMissing if there is none.
func NewRedis(ctx context.Context) (*Redis, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, fmt.Errorf("Redis is %w: no redis-server in the PATH", ErrMissing)
	}
	port, err := Port(ctx)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "inventory-redis-")
	if err != nil {
		return nil, err
	}
	r := &Redis{path: path, folder: folder, port: port}
	if err := r.Start(ctx); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Start starts the server and waits until it accepts connections.
func (r *Redis) Start(ctx context.Context) (err error) {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), r.path,
		"--port", strconv.Itoa(r.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
	cmd.Dir = r.folder
	if r.Process, err = Start(cmd); err != nil {
		return err
	}
	return Eventually(ctx, 30*time.Second, func() error { return accepts(ctx, r.Addr()) })
}

// Stop ends the server at once.
func (r *Redis) Stop() { r.Kill() }

// Close ends the server for good and removes its folder.
func (r *Redis) Close() {
	if r.Process != nil {
		r.Kill()
	}
	_ = os.RemoveAll(r.folder)
}

// Addr is where the server listens.
func (r *Redis) Addr() string { return Addr(r.port) }

// URL returns the server's address.
func (r *Redis) URL() string { return RedisURL(r.Addr()) }

// RedisURL is the URL of the server that is reached at addr, such as a proxy's.
func RedisURL(addr string) string { return "redis://" + addr + "/0" }
