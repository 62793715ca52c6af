package sqlbreaker

import (
	"context"
	"database/sql/driver"
	"errors"
)

// conn is a protected connection, for one goroutine at a time, like every driver.Conn. It implements optional
// interfaces that the driver may lack, by doing what database/sql does without them. Exec and Query are different: see
// execer.
type conn struct {
	protector protector
	inner     driver.Conn
}

var (
	_ driver.ConnBeginTx        = (*conn)(nil)
	_ driver.ConnPrepareContext = (*conn)(nil)
	_ driver.Pinger             = (*conn)(nil)
	_ driver.NamedValueChecker  = (*conn)(nil)
	_ driver.SessionResetter    = (*conn)(nil)
	_ driver.Validator          = (*conn)(nil)
)

// newConn wraps inner in a type with the same optional interfaces.
func newConn(p protector, inner driver.Conn) driver.Conn {
	c := &conn{protector: p, inner: inner}
	exec, query := hasExecer(inner), hasQueryer(inner)
	switch {
	case exec && query:
		return struct {
			*conn
			execer
			queryer
		}{c, execer{c}, queryer{c}}
	case exec:
		return struct {
			*conn
			execer
		}{c, execer{c}}
	case query:
		return struct {
			*conn
			queryer
		}{c, queryer{c}}
	default:
		return c
	}
}

// Unwrap returns the driver's own connection.
func (c *conn) Unwrap() driver.Conn { return c.inner }

// Close closes the connection. It is not protected.
func (c *conn) Close() error { return c.inner.Close() }

// Ping implements driver.Pinger. Without it in the driver, it returns nil.
func (c *conn) Ping(ctx context.Context) error {
	pinger, ok := c.inner.(driver.Pinger)
	if !ok {
		return nil
	}
	_, err := protect(ctx, &c.protector, func(ctx context.Context) (struct{}, error) { return struct{}{}, pinger.Ping(ctx) })
	return err
}

// Prepare implements driver.Conn.
func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	inner, err := protect(ctx, &c.protector, func(ctx context.Context) (driver.Stmt, error) {
		if preparer, ok := c.inner.(driver.ConnPrepareContext); ok {
			return preparer.PrepareContext(ctx, query)
		}
		return prepare(ctx, c.inner, query)
	})
	if err != nil {
		return nil, err
	}
	return newStmt(c, inner), nil
}

// prepare does what database/sql does without driver.ConnPrepareContext.
func prepare(ctx context.Context, inner driver.Conn, query string) (driver.Stmt, error) {
	stmt, err := inner.Prepare(query)
	if err == nil && ctx.Err() != nil {
		_ = stmt.Close()
		return nil, ctx.Err()
	}
	return stmt, err
}

// Begin implements driver.Conn.
func (c *conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// BeginTx implements driver.ConnBeginTx.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return protect(ctx, &c.protector, func(ctx context.Context) (driver.Tx, error) {
		if beginner, ok := c.inner.(driver.ConnBeginTx); ok {
			return beginner.BeginTx(ctx, opts)
		}
		return begin(ctx, c.inner, opts)
	})
}

// begin does what database/sql does without driver.ConnBeginTx.
func begin(ctx context.Context, inner driver.Conn, opts driver.TxOptions) (driver.Tx, error) {
	if opts.Isolation != 0 {
		return nil, errors.New("sql: driver does not support non-default isolation level")
	}
	if opts.ReadOnly {
		return nil, errors.New("sql: driver does not support read-only transactions")
	}
	tx, err := inner.Begin() //nolint:staticcheck // Drivers without BeginTx have nothing else.
	if err == nil && ctx.Err() != nil {
		_ = tx.Rollback()
		return nil, ctx.Err()
	}
	return tx, err
}

// CheckNamedValue implements driver.NamedValueChecker. After driver.ErrSkip, database/sql converts the value.
func (c *conn) CheckNamedValue(value *driver.NamedValue) error {
	if checker, ok := c.inner.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(value)
	}
	return driver.ErrSkip
}

// ResetSession implements driver.SessionResetter. It is not protected.
func (c *conn) ResetSession(ctx context.Context) error {
	if resetter, ok := c.inner.(driver.SessionResetter); ok {
		return resetter.ResetSession(ctx)
	}
	return nil
}

// IsValid implements driver.Validator. It is not protected.
func (c *conn) IsValid() bool {
	if validator, ok := c.inner.(driver.Validator); ok {
		return validator.IsValid()
	}
	return true
}
