package sqlstore_test

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/vitals-go/vitals/examples/inventory"
	"github.com/vitals-go/vitals/examples/inventory/sqlstore"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// TestMigrateTogether starts several servers on an empty database at once.
func TestMigrateTogether(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) func() (*sqlstore.Store, error){
		"SQLite": func(t *testing.T) func() (*sqlstore.Store, error) {
			path := filepath.Join(t.TempDir(), "inventory.db")
			return func() (*sqlstore.Store, error) { return sqlstore.SQLite(path, nil) }
		},
		"PostgreSQL": func(t *testing.T) func() (*sqlstore.Store, error) {
			url := testdeps.Database(t)
			return func() (*sqlstore.Store, error) { return sqlstore.Postgres(url, nil) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			again := open(t)
			var starting sync.WaitGroup
			for range 6 {
				starting.Go(func() {
					store, err := again()
					if err != nil {
						t.Error(err)
						return
					}
					defer store.Close()
					if err := store.Check(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			starting.Wait()
		})
	}
}

// TestAwayAtTheStart opens a store whose database cannot be reached, and lets it come.
func TestAwayAtTheStart(t *testing.T) {
	pg := testdeps.NewPostgres(t)
	url := pg.Database()
	pg.Stop()
	store, err := sqlstore.Postgres(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.Check(t.Context()); err == nil {
		t.Error("Check is nil without a database")
	}
	if _, err := store.Get(t.Context(), "bolt"); !errors.Is(err, inventory.ErrUnavailable) {
		t.Errorf("Get: %v, want ErrUnavailable", err)
	}
	pg.Start()
	testdeps.Eventually(t, time.Minute, func() error { return store.Check(t.Context()) })
	if _, err := store.Get(t.Context(), "bolt"); !errors.Is(err, inventory.ErrNotFound) {
		t.Errorf("Get: %v, want ErrNotFound", err)
	}
}

// TestGoneWhileRunning takes the database away under load and expects every error to say "not now".
func TestGoneWhileRunning(t *testing.T) {
	pg := testdeps.NewPostgres(t)
	store := ready(t)(sqlstore.Postgres(pg.Database(), nil))
	if err := put(t.Context(), store, "bolt", nil)(); err != nil {
		t.Fatal(err)
	}
	pg.Stop()
	for range 3 {
		if err := put(t.Context(), store, "bolt", nil)(); !errors.Is(err, inventory.ErrUnavailable) {
			t.Errorf("Put: %v, want ErrUnavailable", err)
		}
		if _, err := store.Get(t.Context(), "bolt"); !errors.Is(err, inventory.ErrUnavailable) {
			t.Errorf("Get: %v, want ErrUnavailable", err)
		}
	}
	pg.Start()
	testdeps.Eventually(t, time.Minute, put(t.Context(), store, "bolt", nil))
}

func TestSQLiteInAMissingFolder(t *testing.T) {
	store, err := sqlstore.SQLite(filepath.Join(t.TempDir(), "missing", "inventory.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.Check(t.Context()); err == nil {
		t.Error("Check is nil without a file")
	}
	if _, err := store.Head(t.Context()); !errors.Is(err, inventory.ErrUnavailable) {
		t.Errorf("Head: %v, want ErrUnavailable", err)
	}
}

func TestPostgresURL(t *testing.T) {
	_, err := sqlstore.Postgres("postgres://me:hun ter2@host:port/db", nil)
	if !errors.Is(err, sqlstore.ErrURL) || err.Error() != sqlstore.ErrURL.Error() {
		t.Errorf("error %v, want exactly ErrURL, which quotes nothing", err)
	}
}
