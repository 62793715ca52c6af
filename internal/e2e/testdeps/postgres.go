package testdeps

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/vitals-go/vitals/internal/e2e/rig"
)

// Postgres is a PostgreSQL server of the test's own.
type Postgres struct {
	*rig.Postgres

	t testing.TB
}

// NewPostgres starts a PostgreSQL server with an empty cluster.
func NewPostgres(t testing.TB) *Postgres {
	t.Helper()
	pg, err := rig.NewPostgres(t.Context())
	must(t, err)
	t.Cleanup(pg.Close)
	own(t, pg.Process)
	return &Postgres{pg, t}
}

// Start starts the server and waits until it answers.
func (pg *Postgres) Start() {
	pg.t.Helper()
	must(pg.t, pg.Postgres.Start(pg.t.Context()))
	own(pg.t, pg.Process)
}

// Database makes a new database and returns its URL.
func (pg *Postgres) Database() string {
	pg.t.Helper()
	name, err := pg.Postgres.Database(pg.t.Context())
	must(pg.t, err)
	return pg.URL(name)
}

// must skips a test for which something is not installed, and fails it for any other error.
func must(t testing.TB, err error) {
	t.Helper()
	switch {
	case errors.Is(err, rig.ErrMissing):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
}

// shared is the server of all tests of a package that stop and freeze none.
var (
	shared      *rig.Postgres
	startShared = sync.OnceValues(func() (*rig.Postgres, error) {
		var err error
		shared, err = rig.NewPostgres(context.Background())
		return shared, err
	})
)

// Database makes a new database, in a server that all tests of the package share, and returns its URL. TestMain must
// call Main.
func Database(t testing.TB) string {
	t.Helper()
	pg, err := startShared()
	must(t, err)
	name, err := pg.Database(t.Context())
	must(t, err)
	return pg.URL(name)
}

// Main runs the tests of a package that uses Database, and returns their exit code.
func Main(m *testing.M) int {
	code := m.Run()
	if shared != nil {
		shared.Close()
	}
	return code
}
