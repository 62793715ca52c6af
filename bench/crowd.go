package main

import (
	"context"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// crowd is many Watch streams of one name, without a network.
type crowd struct {
	cancel context.CancelFunc
	gone   sync.WaitGroup
	size   int64
	told   atomic.Int64  // messages received since the last reset
	all    chan struct{} // receives a token when every member has been notified once
}

// member is one stream of a crowd.
type member struct {
	grpc.ServerStream
	crowd *crowd
	ctx   context.Context
}

func (m *member) Context() context.Context { return m.ctx }

func (m *member) Send(*healthpb.HealthCheckResponse) error {
	if m.crowd.told.Add(1) == m.crowd.size {
		select {
		case m.crowd.all <- struct{}{}:
		default: // without a waiter: the status changes by a timer
		}
	}
	return nil
}

// newCrowd opens size watches of name and returns when each has got its first message.
func newCrowd(server statusServer, name string, size int) *crowd {
	server.SetServingStatus(name, healthpb.HealthCheckResponse_SERVING)
	ctx, cancel := context.WithCancel(context.Background())
	c := &crowd{cancel: cancel, size: int64(size), all: make(chan struct{}, 1)}
	for range size {
		c.gone.Go(func() {
			_ = server.Watch(&healthpb.HealthCheckRequest{Service: name}, &member{crowd: c, ctx: ctx})
		})
	}
	c.wait()
	return c
}

// wait returns when all members have been notified, and resets the count. A member that is notified twice before
// another is notified once would end the wait early; callers change the status only after a wait.
func (c *crowd) wait() {
	if c.size == 0 {
		return
	}
	<-c.all
	c.told.Store(0)
}

func (c *crowd) leave() {
	c.cancel()
	c.gone.Wait()
}
