package sqlbreaker

import (
	"context"
	"database/sql/driver"
	"io"
	"reflect"

	"github.com/vitals-go/vitals/breaker"
)

// query protects a query. With Config.IncludeRows the call ends with its rows.
func (p *protector) query(ctx context.Context, call func(context.Context) (driver.Rows, error)) (driver.Rows, error) {
	if !p.includeRows {
		return protect(ctx, p, call)
	}
	permit, err := p.breaker.Allow(ctx)
	if err != nil {
		return nil, err
	}
	outcome, cause, ended := breaker.Failure, errAbandoned, true
	defer func() {
		if ended {
			permit.Record(outcome, cause)
		}
	}()
	result, err := call(permit.Context())
	outcome, cause = p.outcome(ctx, err), err
	if err != nil {
		return nil, err
	}
	ended = false
	return &rows{Rows: result, ctx: ctx, protector: p, permit: &permit, outcome: outcome}, nil
}

// rows records a query at its end. Like conn, it implements optional interfaces that the driver may lack.
type rows struct {
	driver.Rows

	ctx       context.Context //nolint:containedctx // That of the query, for protector.outcome.
	protector *protector
	permit    *breaker.Permit
	outcome   breaker.Outcome // of the call
}

var (
	_ driver.RowsNextResultSet              = (*rows)(nil)
	_ driver.RowsColumnTypeScanType         = (*rows)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
	_ driver.RowsColumnTypeLength           = (*rows)(nil)
	_ driver.RowsColumnTypeNullable         = (*rows)(nil)
	_ driver.RowsColumnTypePrecisionScale   = (*rows)(nil)
)

// record ends the query if err is an error of the database.
func (r *rows) record(err error) error {
	if err != nil && err != io.EOF { //nolint:errorlint // A wrapped one is a failure.
		r.permit.Record(r.protector.outcome(r.ctx, err), err)
	}
	return err
}

// Next implements driver.Rows.
func (r *rows) Next(dest []driver.Value) error { return r.record(r.Rows.Next(dest)) }

// Close implements driver.Rows. database/sql calls it after the last row, too.
func (r *rows) Close() error {
	err := r.record(r.Rows.Close())
	r.permit.Record(r.outcome, nil)
	return err
}

// HasNextResultSet implements driver.RowsNextResultSet.
func (r *rows) HasNextResultSet() bool {
	inner, ok := r.Rows.(driver.RowsNextResultSet)
	return ok && inner.HasNextResultSet()
}

// NextResultSet implements driver.RowsNextResultSet.
func (r *rows) NextResultSet() error {
	if inner, ok := r.Rows.(driver.RowsNextResultSet); ok {
		return r.record(inner.NextResultSet())
	}
	return io.EOF
}

// ColumnTypeScanType implements driver.RowsColumnTypeScanType.
func (r *rows) ColumnTypeScanType(index int) reflect.Type {
	if inner, ok := r.Rows.(driver.RowsColumnTypeScanType); ok {
		return inner.ColumnTypeScanType(index)
	}
	return reflect.TypeFor[any]()
}

// ColumnTypeDatabaseTypeName implements driver.RowsColumnTypeDatabaseTypeName.
func (r *rows) ColumnTypeDatabaseTypeName(index int) string {
	if inner, ok := r.Rows.(driver.RowsColumnTypeDatabaseTypeName); ok {
		return inner.ColumnTypeDatabaseTypeName(index)
	}
	return ""
}

// ColumnTypeLength implements driver.RowsColumnTypeLength.
func (r *rows) ColumnTypeLength(index int) (length int64, ok bool) {
	if inner, has := r.Rows.(driver.RowsColumnTypeLength); has {
		return inner.ColumnTypeLength(index)
	}
	return 0, false
}

// ColumnTypeNullable implements driver.RowsColumnTypeNullable.
func (r *rows) ColumnTypeNullable(index int) (nullable, ok bool) {
	if inner, has := r.Rows.(driver.RowsColumnTypeNullable); has {
		return inner.ColumnTypeNullable(index)
	}
	return false, false
}

// ColumnTypePrecisionScale implements driver.RowsColumnTypePrecisionScale.
func (r *rows) ColumnTypePrecisionScale(index int) (precision, scale int64, ok bool) {
	if inner, has := r.Rows.(driver.RowsColumnTypePrecisionScale); has {
		return inner.ColumnTypePrecisionScale(index)
	}
	return 0, 0, false
}
