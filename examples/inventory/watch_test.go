package inventory_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/vitals-go/vitals/examples/inventory"
	"github.com/vitals-go/vitals/examples/inventory/sqlstore"
	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
)

type watching = grpc.ServerStreamingClient[inventoryv1.WatchResponse]

// startWatch returns an established watch.
func startWatch(ctx context.Context, t *testing.T, client inventoryv1.InventoryClient, req *inventoryv1.WatchRequest) watching {
	t.Helper()
	stream, err := client.Watch(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := stream.Recv(); err != nil || len(resp.GetChanges()) != 0 {
		t.Fatalf("first response %v, %v; want one without changes", resp, err)
	}
	return stream
}

// expect reads the changes from revision first to last, which must come in order and without gaps.
func expect(t *testing.T, stream watching, first, last int64) {
	t.Helper()
	for next := first; next <= last; {
		resp, err := stream.Recv()
		if err != nil {
			t.Fatalf("waiting for revision %d: %v", next, err)
		}
		for _, change := range resp.GetChanges() {
			if got := change.GetItem().GetRevision(); got != next {
				t.Fatalf("revision %d, want %d", got, next)
			}
			next++
		}
		if resp.GetRevision() != next-1 {
			t.Fatalf("cursor %d after revision %d", resp.GetRevision(), next-1)
		}
	}
}

func TestWatchFromNowOn(t *testing.T) {
	_, client := serve(t, inventory.Config{Store: newStore(t)})
	putItem(t, client, "old")
	stream := startWatch(within(t), t, client, &inventoryv1.WatchRequest{})
	putItem(t, client, "bolt")
	expect(t, stream, 2, 2)
	if _, err := client.Delete(within(t), &inventoryv1.DeleteRequest{Sku: "bolt"}); err != nil {
		t.Fatal(err)
	}
	resp, err := stream.Recv()
	if err != nil || len(resp.GetChanges()) != 1 || resp.GetChanges()[0].GetKind() != inventoryv1.Change_KIND_DELETE {
		t.Errorf("%v, %v; want the deletion", resp, err)
	}
}

func TestWatchResumes(t *testing.T) {
	store := newStore(t)
	_, client := serve(t, inventory.Config{Store: store})
	for i := range 3 {
		putItem(t, client, fmt.Sprint("before-", i))
	}
	ctx, leave := context.WithCancel(within(t))
	expect(t, startWatch(ctx, t, client, &inventoryv1.WatchRequest{AfterRevision: proto.Int64(0)}), 1, 3)
	leave()
	for i := range 300 { // More than one batch.
		putItem(t, client, fmt.Sprint("between-", i))
	}
	// To the same server, and to one that has just started and remembers nothing.
	_, other := serve(t, inventory.Config{Store: store})
	for _, client := range []inventoryv1.InventoryClient{client, other} {
		stream := startWatch(within(t), t, client, &inventoryv1.WatchRequest{AfterRevision: proto.Int64(3)})
		expect(t, stream, 4, 303)
	}
}

func TestWatchSeesOtherInstances(t *testing.T) {
	path := filepath.Join(t.TempDir(), "inventory.db")
	var clients []inventoryv1.InventoryClient
	for range 2 {
		store, err := sqlstore.SQLite(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		if err := store.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, client := serve(t, inventory.Config{Store: store, PollInterval: 5 * time.Millisecond})
		clients = append(clients, client)
	}
	stream := startWatch(within(t), t, clients[0], &inventoryv1.WatchRequest{})
	putItem(t, clients[1], "bolt")
	expect(t, stream, 1, 1)
}

func TestWatchPrefix(t *testing.T) {
	_, client := serve(t, inventory.Config{Store: newStore(t)})
	stream := startWatch(within(t), t, client, &inventoryv1.WatchRequest{SkuPrefix: "nut"})
	putItem(t, client, "bolt")
	putItem(t, client, "nut-1")
	resp, err := stream.Recv()
	if err != nil || len(resp.GetChanges()) != 1 || resp.GetChanges()[0].GetItem().GetSku() != "nut-1" {
		t.Errorf("%v, %v; want nut-1 alone", resp, err)
	}
}

// TestSlowWatcher opens a watch and does not read from it while more happens than any buffer holds.
func TestSlowWatcher(t *testing.T) {
	const changes = 1500
	store := newStore(t)
	_, client := serve(t, inventory.Config{Store: store, PollInterval: 5 * time.Millisecond})
	slow := startWatch(within(t), t, client, &inventoryv1.WatchRequest{})
	quick := startWatch(within(t), t, client, &inventoryv1.WatchRequest{})
	for i := range changes {
		if _, err := store.Put(within(t), inventory.Item{SKU: fmt.Sprint("item-", i%50), Name: "Some name of some length"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, quick, 1, changes)
	expect(t, slow, 1, changes)
}

func TestWatchBeyondTheHistory(t *testing.T) {
	store := newStore(t)
	_, client := serve(t, inventory.Config{Store: store})
	for i := range 5 {
		putItem(t, client, fmt.Sprint("item-", i))
	}
	if err := store.Forget(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	_, client = serve(t, inventory.Config{Store: store}) // One that holds nothing in memory.
	for name, after := range map[string]int64{"forgotten": 1, "not yet there": 6} {
		stream, err := client.Watch(within(t), &inventoryv1.WatchRequest{AfterRevision: &after})
		for err == nil {
			_, err = stream.Recv()
		}
		if status.Code(err) != codes.OutOfRange {
			t.Errorf("%s: %v, want OUT_OF_RANGE", name, err)
		}
	}
	expect(t, startWatch(within(t), t, client, &inventoryv1.WatchRequest{AfterRevision: proto.Int64(3)}), 4, 5)
}

func TestEndWatches(t *testing.T) {
	service, client := serve(t, inventory.Config{Store: newStore(t)})
	stream := startWatch(within(t), t, client, &inventoryv1.WatchRequest{})
	service.EndWatches()
	service.EndWatches() // Once more does no harm.
	if _, err := stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("open watch: %v, want UNAVAILABLE", err)
	}
	later, err := client.Watch(within(t), &inventoryv1.WatchRequest{})
	for err == nil {
		_, err = later.Recv()
	}
	if status.Code(err) != codes.Unavailable {
		t.Errorf("new watch: %v, want UNAVAILABLE", err)
	}
}

func TestMaxWatches(t *testing.T) {
	_, client := serve(t, inventory.Config{Store: newStore(t), MaxWatches: 1})
	startWatch(within(t), t, client, &inventoryv1.WatchRequest{})
	if err := watch(&inventoryv1.WatchRequest{})(within(t), client); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("second watch: %v, want RESOURCE_EXHAUSTED", err)
	}
}
