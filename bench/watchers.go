package main

import (
	"context"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// watchers are many Watch streams of one name, without a network.
type watchers struct {
	cancel   context.CancelFunc
	gone     sync.WaitGroup
	size     int64
	notified atomic.Int64  // messages received since the last reset
	all      chan struct{} // receives a token when every watcher has been notified once
}

// watcher is one stream.
type watcher struct {
	grpc.ServerStream
	group *watchers
	ctx   context.Context
}

func (w *watcher) Context() context.Context { return w.ctx }

func (w *watcher) Send(*healthpb.HealthCheckResponse) error {
	if w.group.notified.Add(1) == w.group.size {
		select {
		case w.group.all <- struct{}{}:
		default: // without a waiter: the status changes by a timer
		}
	}
	return nil
}

// newWatchers opens size watches of name and returns when each has got its first message.
func newWatchers(server statusServer, name string, size int) *watchers {
	server.SetServingStatus(name, healthpb.HealthCheckResponse_SERVING)
	ctx, cancel := context.WithCancel(context.Background())
	c := &watchers{cancel: cancel, size: int64(size), all: make(chan struct{}, 1)}
	for range size {
		c.gone.Go(func() {
			_ = server.Watch(&healthpb.HealthCheckRequest{Service: name}, &watcher{group: c, ctx: ctx})
		})
	}
	c.wait()
	return c
}

// wait returns when all watchers have been notified, and resets the count. A watcher that is notified twice before
// another is notified once would end the wait early; callers change the status only after a wait.
func (c *watchers) wait() {
	if c.size == 0 {
		return
	}
	<-c.all
	c.notified.Store(0)
}

func (c *watchers) leave() {
	c.cancel()
	c.gone.Wait()
}
