package sqlbreaker

import (
	"context"
	"database/sql/driver"
	"errors"
)

// stmt is a protected prepared statement.
type stmt struct {
	conn  *conn
	inner driver.Stmt
}

var (
	_ driver.StmtExecContext   = (*stmt)(nil)
	_ driver.StmtQueryContext  = (*stmt)(nil)
	_ driver.NamedValueChecker = (*stmt)(nil)
)

// convertingStmt adds an optional interface that changes the behavior of database/sql.
type convertingStmt struct {
	*stmt
	driver.ColumnConverter
}

func newStmt(c *conn, inner driver.Stmt) driver.Stmt {
	s := &stmt{conn: c, inner: inner}
	if converter, ok := inner.(driver.ColumnConverter); ok { //nolint:staticcheck // Old drivers have nothing else.
		return convertingStmt{s, converter}
	}
	return s
}

// Unwrap returns the driver's own statement.
func (s *stmt) Unwrap() driver.Stmt { return s.inner }

func (s *stmt) Close() error { return s.inner.Close() }

func (s *stmt) NumInput() int { return s.inner.NumInput() }

func (s *stmt) Exec(values []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), named(values))
}

func (s *stmt) Query(values []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), named(values))
}

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if inner, ok := s.inner.(driver.StmtExecContext); ok {
		return protect(ctx, &s.conn.protector, func(ctx context.Context) (driver.Result, error) {
			return inner.ExecContext(ctx, args)
		})
	}
	values, err := plain(ctx, args)
	if err != nil {
		return nil, err
	}
	return protect(ctx, &s.conn.protector, func(context.Context) (driver.Result, error) {
		return s.inner.Exec(values) //nolint:staticcheck // See above.
	})
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if inner, ok := s.inner.(driver.StmtQueryContext); ok {
		return s.conn.protector.query(ctx, func(ctx context.Context) (driver.Rows, error) {
			return inner.QueryContext(ctx, args)
		})
	}
	values, err := plain(ctx, args)
	if err != nil {
		return nil, err
	}
	return s.conn.protector.query(ctx, func(context.Context) (driver.Rows, error) {
		return s.inner.Query(values) //nolint:staticcheck // See above.
	})
}

// CheckNamedValue uses the statement's checker or else the connection's, as database/sql does.
func (s *stmt) CheckNamedValue(value *driver.NamedValue) error {
	if checker, ok := s.inner.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(value)
	}
	return s.conn.CheckNamedValue(value)
}

// plain returns the arguments of a call that takes no context.
func plain(ctx context.Context, args []driver.NamedValue) ([]driver.Value, error) {
	values := make([]driver.Value, len(args))
	for i, arg := range args {
		if arg.Name != "" {
			return nil, errors.New("sql: driver does not support the use of Named Parameters")
		}
		values[i] = arg.Value
	}
	return values, ctx.Err()
}

func named(values []driver.Value) []driver.NamedValue {
	args := make([]driver.NamedValue, len(values))
	for i, value := range values {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: value}
	}
	return args
}
