package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vitals-go/vitals/examples/inventory"
	"github.com/vitals-go/vitals/examples/inventory/sqlstore"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// forEach runs a test against every kind of database. open returns one more store on the same database.
func forEach(t *testing.T, test func(t *testing.T, open func() *sqlstore.Store)) {
	t.Helper()
	t.Run("SQLite file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "with ? and # and %41.db")
		test(t, func() *sqlstore.Store { return ready(t)(sqlstore.SQLite(path, nil)) })
	})
	t.Run("SQLite memory", func(t *testing.T) {
		store := ready(t)(sqlstore.SQLite(sqlstore.Memory, nil))
		test(t, func() *sqlstore.Store { return store })
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		url := testdeps.Database(t)
		test(t, func() *sqlstore.Store { return ready(t)(sqlstore.Postgres(url, nil)) })
	})
}

func ready(t *testing.T) func(*sqlstore.Store, error) *sqlstore.Store {
	return func(store *sqlstore.Store, err error) *sqlstore.Store {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		if err := store.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		return store
	}
}

func TestStore(t *testing.T) {
	forEach(t, func(t *testing.T, open func() *sqlstore.Store) {
		ctx, store := t.Context(), open()
		before := time.Now().Add(-time.Millisecond)

		bolt, err := store.Put(ctx, inventory.Item{SKU: "bolt", Name: "Bolt 5×20", Quantity: 7}, new(int64(0)))
		if err != nil {
			t.Fatal(err)
		}
		if bolt.Revision != 1 || bolt.Updated.Before(before) {
			t.Errorf("Put returned %+v, want revision 1 and a fresh time", bolt)
		}
		got, err := store.Get(ctx, "bolt")
		if err != nil || got != bolt {
			t.Errorf("Get = %+v, %v; want %+v", got, err, bolt)
		}
		changed, err := store.Put(ctx, inventory.Item{SKU: "bolt", Name: "Bolt", Quantity: 8}, new(int64(1)))
		if err != nil || changed.Revision != 2 {
			t.Errorf("conditional Put = %+v, %v; want revision 2", changed, err)
		}
		gone, err := store.Delete(ctx, "bolt", nil)
		if err != nil || gone.Revision != 3 || gone.Name != "Bolt" {
			t.Errorf("Delete = %+v, %v; want the last state at revision 3", gone, err)
		}
		if _, err := store.Get(ctx, "bolt"); !errors.Is(err, inventory.ErrNotFound) {
			t.Errorf("Get after Delete: %v, want ErrNotFound", err)
		}
		changes, err := store.Changes(ctx, 1, 10)
		want := []inventory.Change{{Kind: inventory.Put, Item: changed}, {Kind: inventory.Deleted, Item: gone}}
		if err != nil || !slices.Equal(changes, want) {
			t.Errorf("Changes = %+v, %v; want %+v", changes, err, want)
		}
	})
}

func TestRefusedWritesLeaveNoTrace(t *testing.T) {
	forEach(t, func(t *testing.T, open func() *sqlstore.Store) {
		ctx, store := t.Context(), open()
		if _, err := store.Put(ctx, inventory.Item{SKU: "nut", Name: "Nut"}, nil); err != nil {
			t.Fatal(err)
		}
		isConflict := func(err error) bool {
			conflict, ok := errors.AsType[*inventory.ConflictError](err)
			return ok && conflict.Revision == 1
		}
		isMissing := func(err error) bool {
			conflict, ok := errors.AsType[*inventory.ConflictError](err)
			return ok && conflict.Revision == 0
		}
		is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
		for name, refused := range map[string]struct {
			write func() error
			want  func(error) bool
		}{
			"create what exists":         {put(ctx, store, "nut", new(int64(0))), is(inventory.ErrExists)},
			"replace at another one":     {put(ctx, store, "nut", new(int64(9))), isConflict},
			"replace what is missing":    {put(ctx, store, "cog", new(int64(9))), isMissing},
			"delete at another revision": {remove(ctx, store, "nut", new(int64(9))), isConflict},
			"delete what is missing":     {remove(ctx, store, "cog", nil), is(inventory.ErrNotFound)},
		} {
			if err := refused.write(); !refused.want(err) {
				t.Errorf("%s: unexpected error %v", name, err)
			}
		}
		if head, err := store.Head(ctx); err != nil || head != 1 {
			t.Errorf("Head = %d, %v after refused writes; want 1: revisions must have no gaps", head, err)
		}
	})
}

func put(ctx context.Context, store *sqlstore.Store, sku string, expected *int64) func() error {
	return func() error {
		_, err := store.Put(ctx, inventory.Item{SKU: sku, Name: "Any"}, expected)
		return err
	}
}

func remove(ctx context.Context, store *sqlstore.Store, sku string, expected *int64) func() error {
	return func() error {
		_, err := store.Delete(ctx, sku, expected)
		return err
	}
}

func TestList(t *testing.T) {
	forEach(t, func(t *testing.T, open func() *sqlstore.Store) {
		ctx, store := t.Context(), open()
		for _, sku := range []string{"b_2", "a", "b-1", "b", "zz", "b.3", "c"} {
			if err := put(ctx, store, sku, nil)(); err != nil {
				t.Fatal(err)
			}
		}
		for name, tc := range map[string]struct {
			prefix, after string
			limit         int
			want          []string
		}{
			"all, in the order of bytes": {"", "", 10, []string{"a", "b", "b-1", "b.3", "b_2", "c", "zz"}},
			"a page":                     {"", "b", 2, []string{"b-1", "b.3"}},
			"a prefix":                   {"b", "", 10, []string{"b", "b-1", "b.3", "b_2"}},
			"a page of a prefix":         {"b", "b.3", 10, []string{"b_2"}},
			"nothing":                    {"x", "", 10, nil},
			"the last letter":            {"z", "", 10, []string{"zz"}},
		} {
			items, err := store.List(ctx, tc.prefix, tc.after, tc.limit)
			var got []string
			for _, item := range items {
				got = append(got, item.SKU)
			}
			if err != nil || !slices.Equal(got, tc.want) {
				t.Errorf("%s: %v, %v; want %v", name, got, err, tc.want)
			}
		}
	})
}

// TestConcurrentWriters lets several stores on one database, as several servers would, race for one item. Of all
// who expect the same revision exactly one wins, and whoever follows the history sees every revision in order.
func TestConcurrentWriters(t *testing.T) {
	forEach(t, func(t *testing.T, open func() *sqlstore.Store) {
		const writers, rounds = 4, 10
		ctx := t.Context()
		stores := make([]*sqlstore.Store, writers)
		for i := range stores {
			stores[i] = open()
		}
		var wins [rounds]int
		var mu sync.Mutex
		var writing sync.WaitGroup
		for _, store := range stores {
			writing.Go(func() {
				for round := range rounds {
					sku := fmt.Sprint("item-", round)
					_, err := store.Put(ctx, inventory.Item{SKU: sku, Name: "Race"}, new(int64(0)))
					mu.Lock()
					switch {
					case err == nil:
						wins[round]++
					case !errors.Is(err, inventory.ErrExists):
						t.Errorf("Put: %v", err)
					}
					mu.Unlock()
				}
			})
		}
		last := int64(0)
		for last < rounds && !t.Failed() {
			changes, err := stores[0].Changes(ctx, last, 3)
			if err != nil {
				t.Fatal(err)
			}
			for _, change := range changes {
				if change.Revision() != last+1 {
					t.Fatalf("revision %d after %d", change.Revision(), last)
				}
				last++
			}
		}
		writing.Wait()
		for round, n := range wins {
			if n != 1 {
				t.Errorf("round %d has %d winners", round, n)
			}
		}
	})
}

func TestForget(t *testing.T) {
	forEach(t, func(t *testing.T, open func() *sqlstore.Store) {
		ctx, store := t.Context(), open()
		for i := range 5 {
			if err := put(ctx, store, fmt.Sprint("item-", i), nil)(); err != nil {
				t.Fatal(err)
			}
		}
		if err := store.Forget(ctx, 3); err != nil {
			t.Fatal(err)
		}
		changes, err := store.Changes(ctx, 0, 10)
		if err != nil || len(changes) != 2 || changes[0].Revision() != 4 {
			t.Errorf("Changes = %+v, %v; want 4 and 5", changes, err)
		}
		if head, err := store.Head(ctx); err != nil || head != 5 {
			t.Errorf("Head = %d, %v; want 5", head, err)
		}
	})
}
