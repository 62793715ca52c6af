package dependency

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/vitals-go/vitals/checker"
)

// SQLPoolConfig says which pool SQLPool measures.
type SQLPoolConfig struct {
	// Name of the check, such as database_pool. Required.
	Name string
	// DB is the pool. Required.
	DB *sql.DB
}

// SQLPool returns a check that measures how much of a connection pool is in use, in percent of SetMaxOpenConns. It warns
// above 80 % and is never critical, since a pool that is full for a moment does its job, unless the caller sets other
// limits in the Check. It is a resource: it gates nothing. A pool without SetMaxOpenConns is never full. It reads the
// pool's own counters and never calls the database.
func SQLPool(cfg SQLPoolConfig) (checker.Check, error) {
	var mistakes []error
	if cfg.Name == "" {
		mistakes = append(mistakes, errors.New("dependency: SQLPoolConfig.Name is required"))
	}
	if cfg.DB == nil {
		mistakes = append(mistakes, errors.New("dependency: SQLPoolConfig.DB is required"))
	}
	if mistakes != nil {
		return checker.Check{}, errors.Join(mistakes...)
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
