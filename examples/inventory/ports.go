package inventory

import (
	"context"
	"errors"
	"fmt"
)

// Store keeps the items and their history. Revisions grow by one with every change and become visible in order.
// All methods may be called concurrently. Their errors match the Err variables of this package with errors.Is;
// everything else is a defect.
type Store interface {
	// Put creates or replaces item and returns it as stored. If expected is set, the item must be at that revision,
	// where 0 stands for an item that does not exist; otherwise it fails with ErrExists or a *ConflictError.
	Put(ctx context.Context, item Item, expected *int64) (Item, error)
	// Get returns the item or ErrNotFound.
	Get(ctx context.Context, sku string) (Item, error)
	// Delete removes the item and returns it with the revision and the time of the deletion. It fails with
	// ErrNotFound, or with a *ConflictError if expected is set and the item is at another revision.
	Delete(ctx context.Context, sku string, expected *int64) (Item, error)
	// List returns up to limit items with the prefix whose SKU is greater than after, in order.
	List(ctx context.Context, prefix, after string, limit int) ([]Item, error)
	// Head returns the revision of the newest change, 0 before the first.
	Head(ctx context.Context) (int64, error)
	// Changes returns up to limit changes after a revision, in order. Where the first one is not the very next,
	// the history between has been forgotten.
	Changes(ctx context.Context, after int64, limit int) ([]Change, error)
	// Forget drops the changes up to a revision, that one included.
	Forget(ctx context.Context, upTo int64) error
}

// The errors of a Store.
var (
	ErrNotFound    = errors.New("inventory: no such item")
	ErrExists      = errors.New("inventory: the item already exists")
	ErrUnavailable = errors.New("inventory: the database cannot be reached")
)

// ConflictError is the error of a write whose item is not at the expected revision.
type ConflictError struct {
	// Revision at which the item is; 0 if it does not exist.
	Revision int64
}

// Error implements error.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("inventory: the item is at revision %d", e.Revision)
}

// Cache keeps items for a while. It returns false rather than an error, within a few milliseconds.
type Cache interface {
	Get(ctx context.Context, sku string) (Item, bool)
	// Keep stores the result of a change unless it has a newer one: calls may arrive in any order.
	Keep(ctx context.Context, change Change)
	// Drop forgets an item.
	Drop(ctx context.Context, sku string)
}

// Prices returns prices. It returns false rather than an error, and soon.
type Prices interface {
	Price(ctx context.Context, sku string) (Price, bool)
}

// Upstream is another inventory, asked for items that this one does not have.
type Upstream interface {
	// Get returns false if the upstream does not have the item, cannot be reached or may not be asked.
	Get(ctx context.Context, sku string) (Item, bool)
}
