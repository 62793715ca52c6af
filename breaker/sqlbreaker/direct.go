package sqlbreaker

import (
	"context"
	"database/sql/driver"
)

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
	return plain(ctx, &e.c.protector, args, func(values []driver.Value) (driver.Result, error) {
		return inner.Exec(query, values)
	})
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
		return protect(ctx, &q.c.protector, func(ctx context.Context) (driver.Rows, error) {
			return inner.QueryContext(ctx, query, args)
		})
	}
	inner := q.c.inner.(driver.Queryer) //nolint:staticcheck // See hasQueryer.
	return plain(ctx, &q.c.protector, args, func(values []driver.Value) (driver.Rows, error) {
		return inner.Query(query, values)
	})
}
