package dependency

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// SQLConfig says how SQL asks a database.
type SQLConfig struct {
	// DB is the program's own pool. Required.
	DB *sql.DB
	// Query is run and its rows are read; it should be cheap. Default "": the driver's ping.
	Query string
}

// SQL returns a function that asks a database through the pool that the program uses. When the pool has no connection
// to give in time, the error says so: the database may be well. (*sql.DB).PingContext alone is a check too.
func SQL(cfg SQLConfig) (func(context.Context) error, error) {
	if cfg.DB == nil {
		return nil, errors.New("dependency: SQLConfig.DB is required")
	}
	return func(ctx context.Context) error {
		err := cfg.ping(ctx)
		stats := cfg.DB.Stats()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil && stats.MaxOpenConnections > 0 && stats.InUse >= stats.MaxOpenConnections:
			return fmt.Errorf("%w: all %d connections of the pool are in use: find what keeps them, close rows and transactions, or raise SetMaxOpenConns",
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
	for rows.Next() { // some drivers tell the failure only here
	}
	return rows.Err()
}
