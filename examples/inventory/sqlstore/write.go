package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/vitals-go/vitals/examples/inventory"
)

// Put implements inventory.Store.
func (s *Store) Put(ctx context.Context, item inventory.Item, expected *int64) (inventory.Item, error) {
	err := s.change(ctx, func(tx *sql.Tx, revision int64) error {
		current, err := currentItem(ctx, tx, item.SKU)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if expected != nil && *expected != current.Revision {
			if *expected == 0 {
				return inventory.ErrExists
			}
			return &inventory.ConflictError{Revision: current.Revision}
		}
		item.Revision, item.Updated = revision, now()
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO inventory_items (sku, name, quantity, revision, updated_us) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (sku) DO UPDATE SET name = excluded.name, quantity = excluded.quantity,
				revision = excluded.revision, updated_us = excluded.updated_us`,
			item.SKU, item.Name, item.Quantity, item.Revision, item.Updated.UnixMicro()); err != nil {
			return err
		}
		return record(ctx, tx, inventory.Change{Kind: inventory.Put, Item: item})
	})
	if err != nil {
		return inventory.Item{}, s.explain(err)
	}
	return item, nil
}

// Delete implements inventory.Store.
func (s *Store) Delete(ctx context.Context, sku string, expected *int64) (item inventory.Item, err error) {
	err = s.change(ctx, func(tx *sql.Tx, revision int64) error {
		item, err = currentItem(ctx, tx, sku)
		if err != nil {
			return err
		}
		if expected != nil && *expected != item.Revision {
			return &inventory.ConflictError{Revision: item.Revision}
		}
		item.Revision, item.Updated = revision, now()
		if _, err := tx.ExecContext(ctx, `DELETE FROM inventory_items WHERE sku = $1`, sku); err != nil {
			return err
		}
		return record(ctx, tx, inventory.Change{Kind: inventory.Deleted, Item: item})
	})
	if err != nil {
		return inventory.Item{}, s.explain(err)
	}
	return item, nil
}

// change runs fn in a transaction that owns the next revision. Taking it first is what serialises the writers, so
// what fn reads cannot change before the commit.
func (s *Store) change(ctx context.Context, fn func(tx *sql.Tx, revision int64) error) error {
	if err := s.ready(); err != nil {
		return err
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // Does nothing after the commit.
	var revision int64
	err = tx.QueryRowContext(ctx, `UPDATE inventory_head SET revision = revision + 1 RETURNING revision`).Scan(&revision)
	if err != nil {
		return err
	}
	if err := fn(tx, revision); err != nil {
		return err
	}
	return tx.Commit()
}

func currentItem(ctx context.Context, tx *sql.Tx, sku string) (inventory.Item, error) {
	return scanItem(tx.QueryRowContext(ctx,
		`SELECT sku, name, quantity, revision, updated_us FROM inventory_items WHERE sku = $1`, sku))
}

func record(ctx context.Context, tx *sql.Tx, change inventory.Change) error {
	item := change.Item
	_, err := tx.ExecContext(ctx, `
		INSERT INTO inventory_changes (kind, sku, name, quantity, revision, updated_us)
		VALUES ($1, $2, $3, $4, $5, $6)`,
		int64(change.Kind), item.SKU, item.Name, item.Quantity, item.Revision, item.Updated.UnixMicro())
	return err
}

// now in the precision that the databases keep.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
