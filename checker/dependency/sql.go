package dependency

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"github.com/vitals-go/vitals/checker"
)

// SQLConfig configures SQL.
type SQLConfig struct {
	// DB is the program's own pool. Required.
	DB *sql.DB
	// Query is run and its rows are read; the first column of the first row is the answer. Default "": the driver's ping, which
	// SQLValue does not have.
	Query string
}

// SQL returns a function that queries a database through the program's own pool. Its error distinguishes an exhausted pool
// from a database that fails, unlike (*sql.DB).PingContext.
//
// It fails if the answer is false or NULL, or if there is no row: SELECT NOT pg_is_in_recovery() fails on a standby. Any other
// answer passes, 0 too. For databases without booleans, such as MySQL and SQLite, and for numbers with limits use SQLValue.
func SQL(cfg SQLConfig) (func(context.Context) error, error) {
	if err := required("SQLConfig.DB", cfg.DB != nil); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		if cfg.Query == "" {
			return cfg.explain(ctx, cfg.DB.PingContext(ctx))
		}
		answer, err := cfg.query(ctx)
		switch {
		case err != nil:
			return cfg.explain(ctx, err)
		case answer == false:
			return checker.Failed("the query answered false", nil)
		default:
			return nil
		}
	}, nil
}

// SQLValue returns a function that measures the answer of a query, for checker.Check.Measure: a number, true as 1, or false as
// 0. NULL, no row and other answers are errors.
func SQLValue(cfg SQLConfig) (func(context.Context) (checker.Measurement, error), error) {
	err := errors.Join(required("SQLConfig.DB", cfg.DB != nil), required("SQLConfig.Query", cfg.Query != ""))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (checker.Measurement, error) {
		answer, err := cfg.query(ctx)
		if err != nil {
			return checker.Measurement{}, cfg.explain(ctx, err)
		}
		number, err := numberOf(answer)
		return checker.Measurement{Value: number}, err
	}, nil
}

// numberOf converts what a driver returns.
func numberOf(answer any) (float64, error) {
	switch v := answer.(type) {
	case bool:
		return map[bool]float64{true: 1}[v], nil
	case int64:
		return float64(v), nil
	case float64:
		return v, nil
	case []byte:
		return numberOf(string(v))
	case string: // MySQL and numeric types
		if number, err := strconv.ParseFloat(v, 64); err == nil {
			return number, nil
		}
	}
	return 0, fmt.Errorf("the query answered %v (%[1]T), want a number", answer)
}

// explain adds to err what an operator should check next.
func (cfg SQLConfig) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	stats := cfg.DB.Stats()
	if ctx.Err() != nil && stats.MaxOpenConnections > 0 && stats.InUse >= stats.MaxOpenConnections {
		return fmt.Errorf("%w: all %d connections of the pool are in use: close rows and transactions, or raise SetMaxOpenConns",
			err, stats.MaxOpenConnections)
	}
	return explain(err, "the database")
}

// query returns the first column of the first row, and reads all rows: some drivers fail only there. Statements without columns
// have no answer.
func (cfg SQLConfig) query(ctx context.Context) (answer any, err error) {
	rows, err := cfg.DB.QueryContext(ctx, cfg.Query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil || len(columns) == 0 {
		return nil, errors.Join(err, rows.Err())
	}
	found := false
	into := make([]any, len(columns))
	for i := range into {
		into[i] = new(any)
	}
	for ; rows.Next(); found = true {
		if found {
			continue
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
	}
	answer = *into[0].(*any)
	switch {
	case rows.Err() != nil:
		return nil, rows.Err()
	case !found:
		return nil, checker.Failed("the query answered no row", nil)
	case answer == nil:
		return nil, checker.Failed("the query answered NULL", nil)
	}
	return answer, nil
}

// SQLPoolConfig configures SQLPool.
type SQLPoolConfig struct {
	// Name of the check, such as database_pool. Required.
	Name string
	// DB is the pool. Required.
	DB *sql.DB
}

// SQLPool returns a check that measures how much of a connection pool is in use, in percent of SetMaxOpenConns, by the
// pool's own counters. It warns above 80 % and is never critical, unless the caller sets other limits in the Check. It is a
// resource: it gates nothing. A pool without SetMaxOpenConns is never full.
func SQLPool(cfg SQLPoolConfig) (checker.Check, error) {
	err := errors.Join(required("SQLPoolConfig.Name", cfg.Name != ""), required("SQLPoolConfig.DB", cfg.DB != nil))
	if err != nil {
		return checker.Check{}, err
	}
	return checker.Check{
		Name: cfg.Name, Title: "Connection pool " + cfg.Name, Kind: checker.Resource,
		Measure: cfg.measure, Warning: checker.Above(80),
	}, nil
}

func (cfg SQLPoolConfig) measure(context.Context) (checker.Measurement, error) {
	stats := cfg.DB.Stats()
	if stats.MaxOpenConnections <= 0 {
		return checker.Measurement{Unit: "%", Source: fmt.Sprintf("of an unlimited pool (%d in use)", stats.InUse)}, nil
	}
	return checker.Measurement{
		Value: 100 * float64(stats.InUse) / float64(stats.MaxOpenConnections),
		Unit:  "%", Source: fmt.Sprintf("of %d connections", stats.MaxOpenConnections),
	}, nil
}
