package dependency_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/dependency"
)

// database is a driver whose connections answer with fixed errors.
type database struct{ connect, ping, query, rows error }

func (d *database) Connect(context.Context) (driver.Conn, error) { return session{d}, d.connect }
func (d *database) Driver() driver.Driver                        { return nil }

type session struct{ *database }

func (s session) Ping(context.Context) error { return s.ping }
func (s session) Prepare(string) (driver.Stmt, error) {
	return nil, errors.New("not prepared for this")
}
func (s session) Close() error              { return nil }
func (s session) Begin() (driver.Tx, error) { return nil, errors.New("no transactions") }
func (s session) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return result(s), s.query
}

type result struct{ *database }

func (r result) Columns() []string { return []string{"one"} }
func (r result) Close() error      { return nil }
func (r result) Next([]driver.Value) error {
	if r.rows != nil {
		return r.rows
	}
	return io.EOF
}

func open(t testing.TB, d *database) *sql.DB {
	db := sql.OpenDB(d)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestSQL(t *testing.T) {
	broken := errors.New("relation is gone")
	for _, test := range []struct {
		name  string
		db    database
		query string
		want  []string
	}{
		{"ping", database{}, "", nil},
		{"ping fails", database{ping: io.ErrUnexpectedEOF}, "", []string{"the database closed the connection"}},
		{"no connection", database{connect: broken}, "", []string{"relation is gone"}},
		{"query", database{ping: broken}, "SELECT 1", nil},
		{"query fails", database{query: broken}, "SELECT 1", []string{"relation is gone"}},
		{"rows fail", database{rows: broken}, "SELECT 1", []string{"relation is gone"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			db := open(t, &test.db)
			run := must(dependency.SQL(dependency.SQLConfig{DB: db, Query: test.query}))
			wantError(t, run(patient(t)), test.want...)
			if inUse := db.Stats().InUse; inUse != 0 {
				t.Errorf("the check keeps %d connections", inUse)
			}
		})
	}
	_, err := dependency.SQL(dependency.SQLConfig{})
	wantError(t, err, "SQLConfig.DB is required")
}

// An empty pool looks like a dead database from outside; the error must tell them apart.
func TestSQLNamesAnExhaustedPool(t *testing.T) {
	db := open(t, &database{})
	db.SetMaxOpenConns(2)
	hold(t, db, 2)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := must(dependency.SQL(dependency.SQLConfig{DB: db}))(ctx)
	wantError(t, err, "all 2 connections of the pool are in use")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v does not wrap its cause", err)
	}
}

func TestSQLPool(t *testing.T) {
	db := open(t, &database{})
	check := must(dependency.SQLPool(dependency.SQLPoolConfig{Name: "database_pool", DB: db}))
	if check.Kind != checker.Resource || check.Warning != checker.Above(80) || !check.Critical.IsZero() {
		t.Errorf("got %+v", check)
	}
	hold(t, db, 3)
	for _, test := range []struct {
		limit int
		want  checker.Measurement
	}{
		{0, checker.Measurement{Unit: "%", Source: "of an unlimited pool (3 in use)"}},
		{4, checker.Measurement{Value: 75, Unit: "%", Source: "of 4 connections"}},
	} {
		db.SetMaxOpenConns(test.limit)
		if got, err := check.Measure(t.Context()); err != nil || got != test.want {
			t.Errorf("limit %d: got %+v, %v; want %+v", test.limit, got, err, test.want)
		}
	}
	_, err := dependency.SQLPool(dependency.SQLPoolConfig{})
	wantError(t, err, "Name is required", "DB is required")
}

// hold keeps n connections until the test ends.
func hold(t testing.TB, db *sql.DB, n int) {
	t.Helper()
	for range n {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
}
