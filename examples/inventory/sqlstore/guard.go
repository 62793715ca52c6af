package sqlstore

import (
	"database/sql/driver"
	"errors"

	"modernc.org/sqlite"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/sqlbreaker"
)

// Guard wraps the connections of a database, with a circuit breaker for instance. Nil wraps nothing.
type Guard func(driver.Connector) (driver.Connector, error)

func (g Guard) wrap(connector driver.Connector) (driver.Connector, error) {
	if g == nil {
		return connector, nil
	}
	return g(connector)
}

// Classify is sqlbreaker.Classify with SQLite's codes.
func Classify(err error) breaker.Outcome {
	if failed, ok := errors.AsType[*sqlite.Error](err); ok {
		if sqliteUnavailable(failed) {
			return breaker.Failure
		}
		return breaker.Success // The database has answered.
	}
	return sqlbreaker.Classify(err)
}
