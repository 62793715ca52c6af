package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// watchesPerConn is what a server allows one connection by default.
const watchesPerConn = 1000

// watchers are many open Watch streams of readiness, on as few connections as the server allows. They live in a process of their
// own, so that its wakeups do not delay the measurements.
type watchers struct {
	conns []*grpc.ClientConn
	size  int
	gone  sync.WaitGroup
	lost  atomic.Int64 // streams that ended before leave
	round atomic.Pointer[round]
}

// round is one change that all watchers wait for.
type round struct {
	want healthpb.HealthCheckResponse_ServingStatus
	left atomic.Int64
	done chan struct{} // closed when the last watcher has been notified
}

// followed answers every command of a group.
type followed struct{ Lost int64 }

// watch opens size streams and reports when each has received that the server is ready. "down" and "up" announce a
// change; "wait" is answered when every stream has received it.
func watch(ctx context.Context, address string, size int, in io.Reader, out io.Writer) error {
	c := &watchers{size: size}
	defer c.leave()
	c.expect(healthpb.HealthCheckResponse_SERVING)
	if err := c.open(ctx, address); err != nil {
		return err
	}
	if err := c.wait(ctx); err != nil {
		return err
	}
	if err := json.NewEncoder(out).Encode(followed{}); err != nil {
		return err
	}
	return obey(in, out, func(command string) (any, error) {
		switch command {
		case "down":
			c.expect(healthpb.HealthCheckResponse_NOT_SERVING)
		case "up":
			c.expect(healthpb.HealthCheckResponse_SERVING)
		case "wait":
			return followed{Lost: c.lost.Load()}, c.wait(ctx)
		}
		return followed{Lost: c.lost.Load()}, nil
	})
}

func (c *watchers) expect(want healthpb.HealthCheckResponse_ServingStatus) {
	r := &round{want: want, done: make(chan struct{})}
	r.left.Store(int64(c.size))
	c.round.Store(r)
}

func (c *watchers) open(ctx context.Context, address string) error {
	for opened := 0; opened < c.size; {
		conn, err := dial(address)
		if err != nil {
			return err
		}
		c.conns = append(c.conns, conn)
		for range min(watchesPerConn, c.size-opened) {
			stream, err := healthpb.NewHealthClient(conn).Watch(ctx, &healthpb.HealthCheckRequest{Service: "readiness"})
			if err != nil {
				return err
			}
			c.gone.Go(func() { c.follow(stream) })
			opened++
		}
	}
	return nil
}

func (c *watchers) follow(stream grpc.ServerStreamingClient[healthpb.HealthCheckResponse]) {
	for {
		answer, err := stream.Recv()
		if err != nil {
			c.lost.Add(1)
			return
		}
		if r := c.round.Load(); answer.GetStatus() == r.want && r.left.Add(-1) == 0 {
			close(r.done)
		}
	}
}

func (c *watchers) wait(ctx context.Context) error {
	r := c.round.Load()
	select {
	case <-r.done:
		return nil
	case <-time.After(time.Minute):
		return fmt.Errorf("%d of %d watchers were not notified %v within a minute", r.left.Load(), c.size, r.want)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *watchers) leave() {
	for _, conn := range c.conns {
		conn.Close()
	}
	c.gone.Wait()
}
