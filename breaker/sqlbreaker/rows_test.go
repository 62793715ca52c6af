package sqlbreaker_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/sqlbreaker"
)

// rowSource is a fake whose queries return rows, the last of which takes a second and may fail.
type rowSource struct {
	fake
	err error
}

func (f *rowSource) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := f.fake.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &rowConn{inner.(*modernConn), f}, nil
}

type rowConn struct {
	*modernConn
	source *rowSource
}

func (c *rowConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &threeRows{source: c.source}, nil
}

type threeRows struct {
	source *rowSource
	n      int
}

func (r *threeRows) Columns() []string { return []string{"n"} }

func (r *threeRows) Close() error { return nil }

func (r *threeRows) Next(dest []driver.Value) error {
	if r.n++; r.n < 3 {
		dest[0] = int64(r.n)
		return nil
	}
	time.Sleep(time.Second)
	if r.source.err != nil {
		return r.source.err
	}
	return io.EOF
}

func TestErrorsAndTimeOfRowsCountIfIncluded(t *testing.T) {
	for name, tt := range map[string]struct {
		include bool
		err     error
		early   bool // the user closes the rows after the first
		want    breaker.Calls
	}{
		"not included":    {false, io.ErrUnexpectedEOF, false, breaker.Calls{Successes: 1}},
		"included":        {true, nil, false, breaker.Calls{Successes: 1, Slow: 1}},
		"failed":          {true, io.ErrUnexpectedEOF, false, breaker.Calls{Failures: 1, Slow: 1}},
		"connection lost": {true, fmt.Errorf("lost: %w", io.EOF), false, breaker.Calls{Failures: 1, Slow: 1}},
		"bad statement":   {true, stateError("22012"), false, breaker.Calls{Successes: 1, Slow: 1}},
		"unknown":         {true, errors.New("strange"), false, breaker.Calls{Neutral: 1}},
		"closed at once":  {true, io.ErrUnexpectedEOF, true, breaker.Calls{Successes: 1}},
		"database closes": {true, stateError("57P01"), false, breaker.Calls{Failures: 1, Slow: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, err := breaker.New(breaker.Config{Name: "database", SlowCall: time.Second})
				if err != nil {
					t.Fatal(err)
				}
				connector, err := sqlbreaker.New(sqlbreaker.Config{
					Breaker: b, Connector: &rowSource{fake{modern: true}, tt.err}, IncludeRows: tt.include,
				})
				if err != nil {
					t.Fatal(err)
				}
				db := sql.OpenDB(connector)
				defer db.Close()
				rows, err := db.QueryContext(t.Context(), "x")
				if err != nil {
					t.Fatal(err)
				}
				seen := 0
				for rows.Next() {
					if seen++; tt.early {
						break
					}
				}
				if err := rows.Err(); !errors.Is(err, tt.err) && !tt.early {
					t.Errorf("the user sees %v, want %v", err, tt.err)
				}
				rows.Close()
				calls := b.Snapshot().Calls
				calls.Neutral-- // the connection
				if calls != tt.want || seen == 0 {
					t.Errorf("%+v and %d rows, want %+v", calls, seen, tt.want)
				}
			})
		})
	}
}
