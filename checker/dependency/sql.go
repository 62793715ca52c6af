package dependency

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/vitals-go/vitals/checker"
)

// SQLConfig configures SQL.
type SQLConfig struct {
	// DB is the program's own pool. Required.
	DB *sql.DB
	// Query is run and its rows are read. Default "": the driver's ping.
	Query string
}

// SQL returns a function that queries a database through the program's own pool. Its error distinguishes an exhausted pool
// from a database that fails, unlike (*sql.DB).PingContext.
func SQL(cfg SQLConfig) (func(context.Context) error, error) {
	if err := required("SQLConfig.DB", cfg.DB != nil); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		err := cfg.ping(ctx)
		stats := cfg.DB.Stats()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil && stats.MaxOpenConnections > 0 && stats.InUse >= stats.MaxOpenConnections:
			return fmt.Errorf("%w: all %d connections of the pool are in use: close rows and transactions, or raise SetMaxOpenConns",
				err, stats.MaxOpenConnections)
		default:
			return explain(err, "the database")
		}
	}, nil
}

func (cfg SQLConfig) ping(ctx context.Context) error {
	if cfg.Query == "" {
		return cfg.DB.PingContext(ctx)
	}
	rows, err := cfg.DB.QueryContext(ctx, cfg.Query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() { // some drivers fail only here
	}
	return rows.Err()
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
