package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
)

// callTimeout is what a person would wait.
const callTimeout = 2 * time.Second

// load calls at a steady rate until ctx ends. A server that is slow does not slow the rate down before all workers are
// busy; what cannot be sent then is counted as skipped, not made up for later.
func load(ctx context.Context, o options, items inventoryv1.InventoryClient, t *tally) {
	jobs := make(chan struct{})
	var workers sync.WaitGroup
	for range o.workers {
		workers.Go(func() {
			for range jobs {
				one(ctx, o, items, t)
			}
		})
	}
	defer workers.Wait()
	defer close(jobs)

	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	began, sent := time.Now(), 0.0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for due := time.Since(began).Seconds() * o.rate; sent+1 <= due; sent++ {
			select {
			case jobs <- struct{}{}:
			default:
				t.skip()
			}
		}
	}
}

// fill creates the items that are not there yet, as far as the server lets it: reading is no fun in an empty inventory.
func fill(ctx context.Context, o options, items inventoryv1.InventoryClient) {
	for n := range o.items {
		req := &inventoryv1.PutRequest{Item: item(n), ExpectedRevision: proto.Int64(0)}
		if _, err := items.Put(ctx, req); err != nil && status.Code(err) != codes.AlreadyExists {
			return
		}
	}
}

func item(n int) *inventoryv1.Item {
	return &inventoryv1.Item{Sku: sku(n), Name: fmt.Sprintf("Item no. %d", n), Quantity: rand.Int64N(1000)}
}

func sku(n int) string { return fmt.Sprintf("item-%03d", n) }

// one makes one call. Of a hundred: 60 read an item and 5 one that cannot exist, 20 write, 3 write nonsense, 8 list, 4
// delete.
func one(ctx context.Context, o options, items inventoryv1.InventoryClient, t *tally) {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	n := rand.IntN(o.items)
	began := time.Now()
	var err error
	switch dice := rand.IntN(100); {
	case dice < 60:
		_, err = items.Get(call, &inventoryv1.GetRequest{Sku: sku(n)})
	case dice < 65:
		_, err = items.Get(call, &inventoryv1.GetRequest{Sku: "unheard-of"})
	case dice < 85:
		_, err = items.Put(call, &inventoryv1.PutRequest{Item: item(n)})
	case dice < 88:
		_, err = items.Put(call, &inventoryv1.PutRequest{Item: &inventoryv1.Item{Sku: "No SKU!", Quantity: -1}})
	case dice < 96:
		_, err = items.List(call, &inventoryv1.ListRequest{PageSize: 20, SkuPrefix: sku(n)[:7]})
	default:
		_, err = items.Delete(call, &inventoryv1.DeleteRequest{Sku: sku(n)})
	}
	if ctx.Err() == nil { // Calls that our own end has cut off say nothing.
		t.add(time.Since(began), err)
	}
}
