package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
)

// again is the pause before a stream that has ended is opened again.
const again = 500 * time.Millisecond

// follower watches the changes of the inventory and resumes where it was when the stream breaks off.
type follower struct {
	revision atomic.Int64 // how far it has come
	changes  atomic.Int64
	resumed  atomic.Int64
}

// String returns how far the follower has come.
func (f *follower) String() string {
	return fmt.Sprintf("watch at %d (%d changes, %d times resumed)", f.revision.Load(), f.changes.Load(), f.resumed.Load())
}

func (f *follower) run(ctx context.Context, items inventoryv1.InventoryClient) {
	var after *int64
	for first := true; ctx.Err() == nil; first = false {
		if !first {
			f.resumed.Add(1)
		}
		err := f.once(ctx, items, &after)
		if status.Code(err) == codes.OutOfRange {
			after = nil // What was missed is gone. A program that keeps a copy would list again.
		}
		pause(ctx)
	}
}

func (f *follower) once(ctx context.Context, items inventoryv1.InventoryClient, after **int64) error {
	stream, err := items.Watch(ctx, &inventoryv1.WatchRequest{AfterRevision: *after}, grpc.WaitForReady(true))
	for err == nil {
		var resp *inventoryv1.WatchResponse
		if resp, err = stream.Recv(); err == nil {
			*after = new(resp.GetRevision())
			f.revision.Store(resp.GetRevision())
			f.changes.Add(int64(len(resp.GetChanges())))
		}
	}
	return err
}

// verdict is the health that the server reports.
type verdict struct{ text atomic.Pointer[string] }

// String returns the verdict, or why there is none.
func (v *verdict) String() string {
	if text := v.text.Load(); text != nil {
		return *text
	}
	return "unknown"
}

func (v *verdict) set(text string) { v.text.Store(&text) }

func (v *verdict) follow(ctx context.Context, conn *grpc.ClientConn) {
	client := healthpb.NewHealthClient(conn)
	for ctx.Err() == nil {
		stream, err := client.Watch(ctx, &healthpb.HealthCheckRequest{Service: "inventory.v1.Inventory"})
		for err == nil {
			var resp *healthpb.HealthCheckResponse
			if resp, err = stream.Recv(); err == nil {
				v.set(resp.GetStatus().String())
			}
		}
		if ctx.Err() == nil { // Otherwise the end is ours.
			v.set("unreachable (" + status.Code(err).String() + ")")
			pause(ctx)
		}
	}
}

func pause(ctx context.Context) {
	timer := time.NewTimer(again)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
