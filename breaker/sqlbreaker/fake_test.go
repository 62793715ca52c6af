package sqlbreaker_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
)

// fake is a driver that logs its calls. Modern connections implement every optional interface, the others none.
type fake struct {
	modern      bool
	fail        error // of every call on a connection
	failConnect error
	stale       int    // calls that answer ErrBadConn
	hangs       bool   // pings end with their context
	during      func() // called by each call on a connection, unless it is nil
	log         []string
}

// odd is a type that only a modern fake can convert.
type odd struct{}

func (f *fake) note(format string, args ...any) error {
	f.log = append(f.log, fmt.Sprintf(format, args...))
	if f.during != nil {
		f.during()
	}
	if f.stale > 0 {
		f.stale--
		return driver.ErrBadConn
	}
	return f.fail
}

func (f *fake) Connect(context.Context) (driver.Conn, error) {
	f.log = append(f.log, "connect")
	if f.failConnect != nil {
		return nil, f.failConnect
	}
	if f.modern {
		return &modernConn{oldConn{f}}, nil
	}
	return &oldConn{f}, nil
}

func (f *fake) Driver() driver.Driver { return fakeDriver{f} }

func (f *fake) Close() error { f.log = append(f.log, "close connector"); return nil }

type fakeDriver struct{ *fake }

func (d fakeDriver) Open(string) (driver.Conn, error) { return d.Connect(context.Background()) }

type oldConn struct{ *fake }

func (c *oldConn) Close() error { c.log = append(c.log, "close"); return nil }

func (c *oldConn) Prepare(query string) (driver.Stmt, error) {
	return &oldStmt{c.fake}, c.note("prepare %s", query)
}

func (c *oldConn) Begin() (driver.Tx, error) { return fakeTx{c.fake}, c.note("begin") }

type modernConn struct{ oldConn }

func (c *modernConn) Ping(ctx context.Context) error {
	if c.hangs {
		<-ctx.Done()
	}
	return c.note("ping")
}

func (c *modernConn) PrepareContext(_ context.Context, query string) (driver.Stmt, error) {
	return &modernStmt{oldStmt{c.fake}}, c.note("prepare context %s", query)
}

func (c *modernConn) BeginTx(_ context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return fakeTx{c.fake}, c.note("begin tx %+v", opts)
}

func (c *modernConn) ExecContext(_ context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return driver.ResultNoRows, c.note("exec context %s %v", query, args)
}

func (c *modernConn) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return fakeRows{}, c.note("query context %s %v", query, args)
}

func (c *modernConn) CheckNamedValue(v *driver.NamedValue) error { return check(v) }

func (c *modernConn) ResetSession(context.Context) error { c.log = append(c.log, "reset"); return nil }

func (c *modernConn) IsValid() bool { return true }

func check(v *driver.NamedValue) error {
	if _, ok := v.Value.(odd); ok {
		v.Value = "odd"
		return nil
	}
	return driver.ErrSkip
}

type oldStmt struct{ *fake }

func (s *oldStmt) Close() error { s.log = append(s.log, "close stmt"); return nil }

func (s *oldStmt) NumInput() int { return -1 }

func (s *oldStmt) Exec(args []driver.Value) (driver.Result, error) {
	return driver.ResultNoRows, s.note("stmt exec %v", args)
}

func (s *oldStmt) Query(args []driver.Value) (driver.Rows, error) {
	return fakeRows{}, s.note("stmt query %v", args)
}

type modernStmt struct{ oldStmt }

func (s *modernStmt) ExecContext(_ context.Context, args []driver.NamedValue) (driver.Result, error) {
	return driver.ResultNoRows, s.note("stmt exec context %v", args)
}

func (s *modernStmt) QueryContext(_ context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return fakeRows{}, s.note("stmt query context %v", args)
}

func (s *modernStmt) ColumnConverter(int) driver.ValueConverter {
	return driver.DefaultParameterConverter
}

type fakeTx struct{ *fake }

func (tx fakeTx) Commit() error { return tx.note("commit") }

func (tx fakeTx) Rollback() error { return tx.note("rollback") }

type fakeRows struct{}

func (fakeRows) Columns() []string { return nil }

func (fakeRows) Close() error { return nil }

func (fakeRows) Next([]driver.Value) error { return io.EOF }
