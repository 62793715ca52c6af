// Package upstream reads items from another inventory server.
package upstream

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/vitals-go/vitals/examples/inventory"
	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
)

// forwarded marks requests that come from another inventory. They are not forwarded again: two servers that are each
// other's upstream would forward forever.
const forwarded = "inventory-forwarded"

const timeout = 500 * time.Millisecond

// Client implements inventory.Upstream. Create it with New.
type Client struct {
	items inventoryv1.InventoryClient
}

var _ inventory.Upstream = (*Client)(nil)

// New returns a client that uses conn, which stays the caller's.
func New(conn grpc.ClientConnInterface) *Client {
	return &Client{inventoryv1.NewInventoryClient(conn)}
}

// Get implements inventory.Upstream.
func (c *Client) Get(ctx context.Context, sku string) (inventory.Item, bool) {
	if len(metadata.ValueFromIncomingContext(ctx, forwarded)) > 0 {
		return inventory.Item{}, false
	}
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(ctx, forwarded, "1"), timeout)
	defer cancel()
	resp, err := c.items.Get(ctx, &inventoryv1.GetRequest{Sku: sku})
	if err != nil {
		return inventory.Item{}, false
	}
	item := resp.GetItem()
	return inventory.Item{
		SKU:      item.GetSku(),
		Name:     item.GetName(),
		Quantity: item.GetQuantity(),
		Revision: item.GetRevision(),
		Updated:  item.GetUpdateTime().AsTime(),
	}, true
}
