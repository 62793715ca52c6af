package inventory_test

import (
	"context"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/vitals-go/vitals/examples/inventory"
	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
)

// mapCache is a cache that never forgets by itself.
type mapCache struct {
	mu      sync.Mutex
	changes map[string]inventory.Change
}

func (c *mapCache) Get(_ context.Context, sku string) (inventory.Item, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change := c.changes[sku]
	return change.Item, change.Kind == inventory.Put
}

func (c *mapCache) Keep(_ context.Context, change inventory.Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes[change.Item.SKU].Revision() < change.Revision() {
		c.changes[change.Item.SKU] = change
	}
}

func (c *mapCache) Drop(_ context.Context, sku string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.changes, sku)
}

func TestGetReadsThroughTheCache(t *testing.T) {
	store, cache := newStore(t), &mapCache{changes: map[string]inventory.Change{}}
	_, client := serve(t, inventory.Config{Store: store, Cache: cache})
	ctx := within(t)
	if _, err := store.Put(ctx, inventory.Item{SKU: "bolt", Name: "Bolt", Quantity: 1}, nil); err != nil {
		t.Fatal(err)
	}
	if err := get("bolt")(ctx, client); err != nil {
		t.Fatal(err)
	}
	if _, ok := cache.Get(ctx, "bolt"); !ok {
		t.Fatal("Get has not filled the cache")
	}
	// A write behind the cache's back shows that the second read is served from it.
	if _, err := store.Put(ctx, inventory.Item{SKU: "bolt", Name: "Bolt", Quantity: 2}, nil); err != nil {
		t.Fatal(err)
	}
	resp, err := client.Get(ctx, &inventoryv1.GetRequest{Sku: "bolt"})
	if err != nil || resp.GetItem().GetQuantity() != 1 {
		t.Errorf("Get = %v, %v; want what the cache holds", resp, err)
	}
	// A conflict proves that the cache is behind.
	stale := &inventoryv1.PutRequest{Item: &inventoryv1.Item{Sku: "bolt", Name: "Bolt", Quantity: 3}, ExpectedRevision: proto.Int64(1)}
	if _, err := client.Put(ctx, stale); status.Code(err) != codes.Aborted {
		t.Fatalf("Put: %v, want ABORTED", err)
	}
	resp, err = client.Get(ctx, &inventoryv1.GetRequest{Sku: "bolt"})
	if err != nil || resp.GetItem().GetQuantity() != 2 {
		t.Errorf("Get after the conflict = %v, %v; want what the store holds", resp, err)
	}
	if _, err := client.Delete(ctx, &inventoryv1.DeleteRequest{Sku: "bolt"}); err != nil {
		t.Fatal(err)
	}
	if err := get("bolt")(ctx, client); status.Code(err) != codes.NotFound {
		t.Errorf("Get after Delete: %v, want NOT_FOUND", err)
	}
}

// prices answers, or waits until its caller gives up.
type prices struct {
	price inventory.Price
	hangs bool
}

func (p prices) Price(ctx context.Context, _ string) (inventory.Price, bool) {
	if p.hangs {
		<-ctx.Done()
		return inventory.Price{}, false
	}
	return p.price, true
}

func TestGetPrice(t *testing.T) {
	store := newStore(t)
	_, client := serve(t, inventory.Config{Store: store, Prices: prices{price: inventory.Price{Currency: "EUR", MinorUnits: 5}}})
	putItem(t, client, "bolt")
	resp, err := client.Get(within(t), &inventoryv1.GetRequest{Sku: "bolt"})
	if err != nil || resp.GetPrice().GetCurrencyCode() != "EUR" || resp.GetPrice().GetMinorUnits() != 5 {
		t.Errorf("Get = %v, %v; want a price of 5 cents", resp, err)
	}
	_, client = serve(t, inventory.Config{Store: store, Prices: prices{hangs: true}})
	if err := get("cog")(within(t), client); status.Code(err) != codes.NotFound {
		t.Errorf("an item that does not exist waits for its price: %v", err)
	}
}

// upstream knows one item.
type upstream struct{ item inventory.Item }

func (u upstream) Get(_ context.Context, sku string) (inventory.Item, bool) {
	return u.item, sku == u.item.SKU
}

func TestGetFallsBackToUpstream(t *testing.T) {
	other := upstream{inventory.Item{SKU: "cog", Name: "Cog"}}
	_, client := serve(t, inventory.Config{Store: newStore(t), Upstream: other})
	putItem(t, client, "bolt")
	for sku, want := range map[string]bool{"bolt": false, "cog": true} {
		resp, err := client.Get(within(t), &inventoryv1.GetRequest{Sku: sku})
		if err != nil || resp.GetFromUpstream() != want {
			t.Errorf("Get %s = %v, %v; want from_upstream %v", sku, resp, err, want)
		}
	}
	if err := get("gear")(within(t), client); status.Code(err) != codes.NotFound {
		t.Errorf("unknown everywhere: %v, want NOT_FOUND", err)
	}
	_, client = serve(t, inventory.Config{Store: brokenStore{inventory.ErrUnavailable}, Upstream: other})
	if err := get("cog")(within(t), client); status.Code(err) != codes.Unavailable {
		t.Errorf("store away: %v, want UNAVAILABLE rather than a possibly older item", err)
	}
}
