package sqlbreaker

import (
	"context"
	"database/sql/driver"
	"errors"
)

// Conn is a guarded connection, as sql.Conn.Raw hands it out. It is used by one goroutine at a time, like every
// driver.Conn.
//
// It implements every optional interface. Where the driver lacks one, Conn answers as database/sql would have worked
// around it, so that nothing changes but the guard.
type Conn struct {
	guard guard
	inner driver.Conn
}

var (
	_ driver.ConnBeginTx        = (*Conn)(nil)
	_ driver.ConnPrepareContext = (*Conn)(nil)
	_ driver.ExecerContext      = (*Conn)(nil)
	_ driver.QueryerContext     = (*Conn)(nil)
	_ driver.Pinger             = (*Conn)(nil)
	_ driver.NamedValueChecker  = (*Conn)(nil)
	_ driver.SessionResetter    = (*Conn)(nil)
	_ driver.Validator          = (*Conn)(nil)
)

// Unwrap returns the driver's own connection.
func (c *Conn) Unwrap() driver.Conn { return c.inner }

// Close closes the connection. It is not guarded.
func (c *Conn) Close() error { return c.inner.Close() }

// Ping implements driver.Pinger. A driver without it is taken to be alive.
func (c *Conn) Ping(ctx context.Context) error {
	pinger, ok := c.inner.(driver.Pinger)
	if !ok {
		return nil
	}
	_, err := guarded(ctx, c.guard, func(ctx context.Context) (struct{}, error) { return struct{}{}, pinger.Ping(ctx) })
	return err
}

// Prepare implements driver.Conn.
func (c *Conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *Conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	inner, err := guarded(ctx, c.guard, func(ctx context.Context) (driver.Stmt, error) {
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

// prepare is how database/sql uses a driver that knows no context.
func prepare(ctx context.Context, conn driver.Conn, query string) (driver.Stmt, error) {
	stmt, err := conn.Prepare(query)
	if err == nil && ctx.Err() != nil {
		stmt.Close()
		return nil, ctx.Err()
	}
	return stmt, err
}

// Begin implements driver.Conn.
func (c *Conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// BeginTx implements driver.ConnBeginTx.
func (c *Conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return guarded(ctx, c.guard, func(ctx context.Context) (driver.Tx, error) {
		if beginner, ok := c.inner.(driver.ConnBeginTx); ok {
			return beginner.BeginTx(ctx, opts)
		}
		return begin(ctx, c.inner, opts)
	})
}

// begin is how database/sql uses a driver that knows no context.
func begin(ctx context.Context, conn driver.Conn, opts driver.TxOptions) (driver.Tx, error) {
	if opts.Isolation != 0 {
		return nil, errors.New("sql: driver does not support non-default isolation level")
	}
	if opts.ReadOnly {
		return nil, errors.New("sql: driver does not support read-only transactions")
	}
	tx, err := conn.Begin() //nolint:staticcheck // Drivers without BeginTx have nothing else.
	if err == nil && ctx.Err() != nil {
		_ = tx.Rollback()
		return nil, ctx.Err()
	}
	return tx, err
}

// ExecContext implements driver.ExecerContext. Without it in the driver, database/sql is told to prepare instead.
func (c *Conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	switch inner := c.inner.(type) {
	case driver.ExecerContext:
		return guarded(ctx, c.guard, func(ctx context.Context) (driver.Result, error) {
			return inner.ExecContext(ctx, query, args)
		})
	case driver.Execer: //nolint:staticcheck // Old drivers have nothing else.
		return plain(ctx, c.guard, args, func(values []driver.Value) (driver.Result, error) {
			return inner.Exec(query, values)
		})
	default:
		return nil, driver.ErrSkip
	}
}

// QueryContext implements driver.QueryerContext. Without it in the driver, database/sql is told to prepare instead.
func (c *Conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	switch inner := c.inner.(type) {
	case driver.QueryerContext:
		return guarded(ctx, c.guard, func(ctx context.Context) (driver.Rows, error) {
			return inner.QueryContext(ctx, query, args)
		})
	case driver.Queryer: //nolint:staticcheck // Old drivers have nothing else.
		return plain(ctx, c.guard, args, func(values []driver.Value) (driver.Rows, error) {
			return inner.Query(query, values)
		})
	default:
		return nil, driver.ErrSkip
	}
}

// CheckNamedValue implements driver.NamedValueChecker. Without it in the driver, database/sql converts by default.
func (c *Conn) CheckNamedValue(value *driver.NamedValue) error {
	if checker, ok := c.inner.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(value)
	}
	return driver.ErrSkip
}

// ResetSession implements driver.SessionResetter. It is not guarded.
func (c *Conn) ResetSession(ctx context.Context) error {
	if resetter, ok := c.inner.(driver.SessionResetter); ok {
		return resetter.ResetSession(ctx)
	}
	return nil
}

// IsValid implements driver.Validator. It is not guarded.
func (c *Conn) IsValid() bool {
	if validator, ok := c.inner.(driver.Validator); ok {
		return validator.IsValid()
	}
	return true
}
