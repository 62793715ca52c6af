package sqlbreaker

import (
	"context"
	"database/sql/driver"
)

// execer runs a query without preparing it. A connection has one exactly when the driver's own connection can do so:
// its presence makes database/sql convert the arguments before it knows the statement, which could convert them.
type execer func(context.Context, string, []driver.NamedValue) (driver.Result, error)

// ExecContext implements driver.ExecerContext.
func (f execer) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return f(ctx, query, args)
}

// newExecer returns nil, and no interface around a nil, if the driver has none.
func newExecer(c *conn) driver.ExecerContext {
	switch inner := c.inner.(type) {
	case driver.ExecerContext:
		return execer(func(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
			return protected(ctx, &c.guard, func(ctx context.Context) (driver.Result, error) {
				return inner.ExecContext(ctx, query, args)
			})
		})
	case driver.Execer: //nolint:staticcheck // Old drivers have nothing else.
		return execer(func(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
			return plain(ctx, &c.guard, args, func(values []driver.Value) (driver.Result, error) {
				return inner.Exec(query, values)
			})
		})
	default:
		return nil
	}
}

// queryer is the same for queries.
type queryer func(context.Context, string, []driver.NamedValue) (driver.Rows, error)

// QueryContext implements driver.QueryerContext.
func (f queryer) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return f(ctx, query, args)
}

func newQueryer(c *conn) driver.QueryerContext {
	switch inner := c.inner.(type) {
	case driver.QueryerContext:
		return queryer(func(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
			return protected(ctx, &c.guard, func(ctx context.Context) (driver.Rows, error) {
				return inner.QueryContext(ctx, query, args)
			})
		})
	case driver.Queryer: //nolint:staticcheck // Old drivers have nothing else.
		return queryer(func(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
			return plain(ctx, &c.guard, args, func(values []driver.Value) (driver.Rows, error) {
				return inner.Query(query, values)
			})
		})
	default:
		return nil
	}
}
