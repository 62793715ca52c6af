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

// execer runs a query without preparing it. A connection has one only if the driver's connection has: with one,
// database/sql converts the arguments before a statement could.
type execer struct{ c *conn }

func hasExecer(inner driver.Conn) bool {
	_, modern := inner.(driver.ExecerContext)
	_, old := inner.(driver.Execer) //nolint:staticcheck // Old drivers have nothing else.
	return modern || old
}

// ExecContext implements driver.ExecerContext.
func (e execer) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if inner, ok := e.c.inner.(driver.ExecerContext); ok {
		return protect(ctx, &e.c.protector, func(ctx context.Context) (driver.Result, error) {
			return inner.ExecContext(ctx, query, args)
		})
	}
	inner := e.c.inner.(driver.Execer) //nolint:staticcheck // See hasExecer.
	values, err := plain(ctx, args)
	if err != nil {
		return nil, err
	}
	return protect(ctx, &e.c.protector, func(context.Context) (driver.Result, error) { return inner.Exec(query, values) })
}

// queryer is an execer for queries.
type queryer struct{ c *conn }

func hasQueryer(inner driver.Conn) bool {
	_, modern := inner.(driver.QueryerContext)
	_, old := inner.(driver.Queryer) //nolint:staticcheck // Old drivers have nothing else.
	return modern || old
}

// QueryContext implements driver.QueryerContext.
func (q queryer) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if inner, ok := q.c.inner.(driver.QueryerContext); ok {
		return q.c.protector.query(ctx, func(ctx context.Context) (driver.Rows, error) {
			return inner.QueryContext(ctx, query, args)
		})
	}
	inner := q.c.inner.(driver.Queryer) //nolint:staticcheck // See hasQueryer.
	values, err := plain(ctx, args)
	if err != nil {
		return nil, err
	}
	return q.c.protector.query(ctx, func(context.Context) (driver.Rows, error) { return inner.Query(query, values) })
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
		stmt, err := c.inner.Prepare(query)
		if err == nil && ctx.Err() != nil {
			_ = stmt.Close()
			return nil, ctx.Err()
		}
		return stmt, err
	})
	if err != nil {
		return nil, err
	}
	return newStmt(c, inner), nil
}

// Begin implements driver.Conn.
func (c *conn) Begin() (driver.Tx, error) { return c.BeginTx(context.Background(), driver.TxOptions{}) }

// BeginTx implements driver.ConnBeginTx.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return protect(ctx, &c.protector, func(ctx context.Context) (driver.Tx, error) {
		if beginner, ok := c.inner.(driver.ConnBeginTx); ok {
			return beginner.BeginTx(ctx, opts)
		}
		if opts.Isolation != 0 {
			return nil, errors.New("sql: driver does not support non-default isolation level")
		}
		if opts.ReadOnly {
			return nil, errors.New("sql: driver does not support read-only transactions")
		}
		tx, err := c.inner.Begin() //nolint:staticcheck // Drivers without BeginTx have nothing else.
		if err == nil && ctx.Err() != nil {
			_ = tx.Rollback()
			return nil, ctx.Err()
		}
		return tx, err
	})
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
