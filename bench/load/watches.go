package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// watchesPerConn is within what a server allows one connection by default.
const watchesPerConn = 1000

// crowd is many open Watch streams of readiness, on as few connections as the server allows.
type crowd struct {
	conns []*grpc.ClientConn
	size  int
	gone  sync.WaitGroup
	lost  atomic.Int64 // streams that ended before leave
	round atomic.Pointer[round]
}

// round is one change that everybody waits for.
type round struct {
	want      healthpb.HealthCheckResponse_ServingStatus
	left      atomic.Int64
	everybody chan struct{} // closed when the last has been told
}

func newRound(want healthpb.HealthCheckResponse_ServingStatus, size int) *round {
	r := &round{want: want, everybody: make(chan struct{})}
	r.left.Store(int64(size))
	return r
}

// join opens size streams and returns when each has heard that the server is ready.
func join(ctx context.Context, address string, size int) (*crowd, error) {
	c := &crowd{size: size}
	first := newRound(healthpb.HealthCheckResponse_SERVING, size)
	c.round.Store(first)
	for len(c.conns)*watchesPerConn < size {
		conn, err := dial(address)
		if err != nil {
			return c, err
		}
		c.conns = append(c.conns, conn)
		for range min(watchesPerConn, size-(len(c.conns)-1)*watchesPerConn) {
			stream, err := healthpb.NewHealthClient(conn).Watch(ctx, &healthpb.HealthCheckRequest{Service: "readiness"})
			if err != nil {
				return c, err
			}
			c.gone.Go(func() { c.follow(stream) })
		}
		fmt.Fprintf(os.Stderr, "\r%d watches ", len(c.conns)*watchesPerConn)
	}
	fmt.Fprintln(os.Stderr)
	return c, c.wait(ctx, first)
}

func (c *crowd) follow(stream grpc.ServerStreamingClient[healthpb.HealthCheckResponse]) {
	for {
		answer, err := stream.Recv()
		if err != nil {
			c.lost.Add(1)
			return
		}
		if r := c.round.Load(); answer.GetStatus() == r.want && r.left.Add(-1) == 0 {
			close(r.everybody)
		}
	}
}

func (c *crowd) wait(ctx context.Context, r *round) error {
	select {
	case <-r.everybody:
		return nil
	case <-time.After(time.Minute):
		return fmt.Errorf("%d of %d watchers were not told %v within a minute", r.left.Load(), c.size, r.want)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// flip changes the one dependency and returns the time until the last watcher has been told of it.
func (c *crowd) flip(ctx context.Context, server *child, command string) (time.Duration, error) {
	want := healthpb.HealthCheckResponse_NOT_SERVING
	if command == "up" {
		want = healthpb.HealthCheckResponse_SERVING
	}
	r := newRound(want, c.size)
	c.round.Store(r)
	start := time.Now()
	if _, err := server.order(command); err != nil {
		return 0, err
	}
	if c.size == 0 {
		return 0, nil
	}
	err := c.wait(ctx, r)
	return time.Since(start), err
}

// leave closes the connections and returns how many streams had ended before.
func (c *crowd) leave() int64 {
	lost := c.lost.Load()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.gone.Wait()
	return lost
}
