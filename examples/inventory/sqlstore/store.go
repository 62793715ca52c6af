package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/examples/inventory"
)

// Store implements inventory.Store. Create it with SQLite or Postgres.
type Store struct {
	read, write *sql.DB // the same for PostgreSQL; SQLite has one writer at a time
	dialect     dialect
	// migrated is set once the schema exists. Check writes it, every call reads it.
	migrated atomic.Bool
	// identity is what Check last read, nil before.
	identity atomic.Pointer[string]
}

var _ inventory.Store = (*Store)(nil)

// dialect is what differs between the databases.
type dialect struct {
	name string
	// lock makes migrations of several processes wait for each other; empty where a transaction does so anyway.
	lock string
	// probe reads the inventory's identity and whether the database refuses writes.
	probe string
	// unavailable reports whether an error is temporary.
	unavailable func(error) bool
	// schemaMissing reports whether an error means that the tables do not exist.
	schemaMissing func(error) bool
}

// Close closes all connections.
func (s *Store) Close() error { return errors.Join(s.read.Close(), s.write.Close()) }

// Check reports whether the store can be read and written. The first time that the database can be reached it creates
// the schema or brings it up to date; several servers may do so at once.
func (s *Store) Check(ctx context.Context) error {
	if !s.migrated.Load() {
		if err := s.migrate(ctx); err != nil {
			return fmt.Errorf("sqlstore: migrate: %w", err)
		}
		s.migrated.Store(true)
	}
	var (
		identity string
		readOnly bool
	)
	err := s.read.QueryRowContext(ctx, s.dialect.probe).Scan(&identity, &readOnly)
	switch {
	case err != nil && s.dialect.schemaMissing(err):
		s.migrated.Store(false) // A new, empty database has taken its place: the next check migrates.
		return fmt.Errorf("sqlstore: the schema is gone: %w", err)
	case err != nil:
		return fmt.Errorf("sqlstore: %w", err)
	case readOnly:
		return errors.New("sqlstore: the database is read-only")
	}
	s.identity.Store(&identity)
	return nil
}

// Identity names the inventory that the database holds; empty until Check first succeeded. Another database has
// another one, so that whoever remembers items elsewhere does not mix them up.
func (s *Store) Identity() string {
	if identity := s.identity.Load(); identity != nil {
		return *identity
	}
	return ""
}

// Get implements inventory.Store.
func (s *Store) Get(ctx context.Context, sku string) (inventory.Item, error) {
	if err := s.ready(); err != nil {
		return inventory.Item{}, err
	}
	row := s.read.QueryRowContext(ctx,
		`SELECT sku, name, quantity, revision, updated_us FROM inventory_items WHERE sku = $1`, sku)
	item, err := scanItem(row)
	return item, s.explain(err)
}

// List implements inventory.Store.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) ([]inventory.Item, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	// No character of a SKU is beyond z, so the range holds exactly the SKUs with the prefix.
	rows, err := s.read.QueryContext(ctx, `
		SELECT sku, name, quantity, revision, updated_us FROM inventory_items
		WHERE sku > $1 AND sku >= $2 AND sku < $3 ORDER BY sku LIMIT $4`, after, prefix, prefix+"~", limit)
	if err != nil {
		return nil, s.explain(err)
	}
	items, err := collect(rows, scanItem)
	return items, s.explain(err)
}

// Head implements inventory.Store.
func (s *Store) Head(ctx context.Context) (revision int64, err error) {
	if err := s.ready(); err != nil {
		return 0, err
	}
	err = s.read.QueryRowContext(ctx, `SELECT revision FROM inventory_head`).Scan(&revision)
	return revision, s.explain(err)
}

// Changes implements inventory.Store.
func (s *Store) Changes(ctx context.Context, after int64, limit int) ([]inventory.Change, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, `
		SELECT kind, sku, name, quantity, revision, updated_us FROM inventory_changes
		WHERE revision > $1 ORDER BY revision LIMIT $2`, after, limit)
	if err != nil {
		return nil, s.explain(err)
	}
	changes, err := collect(rows, scanChange)
	return changes, s.explain(err)
}

// Forget implements inventory.Store.
func (s *Store) Forget(ctx context.Context, upTo int64) error {
	if err := s.ready(); err != nil {
		return err
	}
	_, err := s.write.ExecContext(ctx, `DELETE FROM inventory_changes WHERE revision <= $1`, upTo)
	return s.explain(err)
}

func (s *Store) ready() error {
	if !s.migrated.Load() {
		return fmt.Errorf("sqlstore: the database has not been reached yet: %w", inventory.ErrUnavailable)
	}
	return nil
}

// explain translates a driver's error into the vocabulary of inventory.Store. The driver's stays wrapped, for the log.
func (s *Store) explain(err error) error {
	_, conflicts := errors.AsType[*inventory.ConflictError](err)
	switch {
	case err == nil, conflicts, errors.Is(err, inventory.ErrExists), errors.Is(err, inventory.ErrNotFound):
		return err
	case errors.Is(err, sql.ErrNoRows):
		return inventory.ErrNotFound
	case s.dialect.schemaMissing(err):
		s.migrated.Store(false)
		return fmt.Errorf("%w: %w", inventory.ErrUnavailable, err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, breaker.ErrOpen), s.dialect.unavailable(err):
		return fmt.Errorf("%w: %w", inventory.ErrUnavailable, err)
	default:
		return fmt.Errorf("sqlstore: %s: %w", s.dialect.name, err)
	}
}

type scanner interface{ Scan(dest ...any) error }

func scanItem(row scanner) (inventory.Item, error) {
	var (
		item inventory.Item
		us   int64
	)
	err := row.Scan(&item.SKU, &item.Name, &item.Quantity, &item.Revision, &us)
	item.Updated = time.UnixMicro(us).UTC()
	return item, err
}

func scanChange(row scanner) (inventory.Change, error) {
	var (
		change inventory.Change
		us     int64
	)
	item := &change.Item
	err := row.Scan(&change.Kind, &item.SKU, &item.Name, &item.Quantity, &item.Revision, &us)
	item.Updated = time.UnixMicro(us).UTC()
	return change, err
}

func collect[T any](rows *sql.Rows, scan func(scanner) (T, error)) ([]T, error) {
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}
