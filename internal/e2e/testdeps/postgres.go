package testdeps

import (
	"errors"
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
