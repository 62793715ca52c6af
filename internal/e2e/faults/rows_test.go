package faults

import (
	"database/sql"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/sqlbreaker"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// TestPostgresThatEndsBetweenRows ends the connection after the first rows have arrived.
func TestPostgresThatEndsBetweenRows(t *testing.T) {
	t.Parallel()
	config, err := pgx.ParseConfig(testdeps.NewPostgres(t).URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	for include, want := range map[bool]breaker.Calls{false: {Successes: 1}, true: {Failures: 1}} {
		b, err := breaker.New(breaker.Config{Name: "database"})
		if err != nil {
			t.Fatal(err)
		}
		connector, err := sqlbreaker.New(sqlbreaker.Config{Breaker: b, Connector: stdlib.GetConnector(*config), IncludeRows: include})
		if err != nil {
			t.Fatal(err)
		}
		db := sql.OpenDB(connector)
		defer db.Close()
		rows, err := db.QueryContext(t.Context(),
			`select case when n = 300000 then pg_terminate_backend(pg_backend_pid()) end, repeat('x', 100) from generate_series(1, 400000) n`)
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for rows.Next() {
			seen++
		}
		if rows.Err() == nil || seen == 0 {
			t.Errorf("%d rows, then %v", seen, rows.Err())
		}
		rows.Close()
		calls := b.Snapshot().Calls
		calls.Neutral = 0 // opened connections
		if calls != want {
			t.Errorf("included %v: %+v, want %+v", include, calls, want)
		}
	}
}
