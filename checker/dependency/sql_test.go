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
type database struct {
	connect, ping, query, rows error

	answers []driver.Value // of a query: a row each; nil for one row of 1
	columns []string       // nil for one
}

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
	r := &result{answers: s.answers, columns: s.columns, err: s.rows}
	if r.answers == nil {
		r.answers = []driver.Value{int64(1)}
	}
	if r.columns == nil {
		r.columns = []string{"one"}
	}
	return r, s.query
}

type result struct {
	answers []driver.Value
	columns []string
	err     error
}

func (r *result) Columns() []string { return r.columns }
func (r *result) Close() error      { return nil }
func (r *result) Next(row []driver.Value) error {
	switch {
	case r.err != nil:
		return r.err
	case len(r.answers) == 0 || len(row) == 0:
		return io.EOF
	}
	row[0], r.answers = r.answers[0], r.answers[1:]
	return nil
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
		{"true", database{answers: []driver.Value{true}}, "SELECT true", nil},
		{"false", database{answers: []driver.Value{false, true}}, "SELECT false", []string{"the query answered false"}},
		{"NULL", database{answers: []driver.Value{nil}}, "SELECT NULL", []string{"the query answered NULL"}},
		{"no row", database{answers: []driver.Value{}}, "SELECT 1 WHERE false", []string{"the query answered no row"}},
		{"zero", database{answers: []driver.Value{int64(0)}}, "SELECT 0", nil},
		{"text", database{answers: []driver.Value{[]byte("f")}}, "SELECT 'f'", nil},
		{"several columns", database{columns: []string{"a", "b"}, answers: []driver.Value{true}}, "SELECT true, 1", nil},
		{"a statement", database{columns: []string{}}, "DO 1", nil},
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

func TestSQLValue(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer driver.Value
		want   float64
		err    []string
	}{
		{"number", int64(7), 7, nil},
		{"zero", int64(0), 0, nil},
		{"fraction", 1.5, 1.5, nil},
		{"true", true, 1, nil},
		{"false", false, 0, nil},
		{"bytes of MySQL", []byte("12.5"), 12.5, nil},
		{"numeric text", "-3", -3, nil},
		{"NULL", nil, 0, []string{"the query answered NULL"}},
		{"text", "many", 0, []string{"answered many (string), want a number"}},
		{"time", time.Unix(0, 0), 0, []string{"want a number"}},
	} {
		db := open(t, &database{answers: []driver.Value{test.answer}})
		m, err := must(dependency.SQLValue(dependency.SQLConfig{DB: db, Query: "SELECT"}))(patient(t))
		wantError(t, err, test.err...)
		if m.Value != test.want {
			t.Errorf("%s: got %v, want %v", test.name, m.Value, test.want)
		}
	}
	_, err := dependency.SQLValue(dependency.SQLConfig{})
	wantError(t, err, "SQLConfig.DB is required", "SQLConfig.Query is required")
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
