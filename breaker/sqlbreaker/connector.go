package sqlbreaker

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"

	"github.com/vitals-go/vitals/breaker"
)

// Config configures a connector.
type Config struct {
	// Breaker protects every call. Required.
	Breaker *breaker.Breaker

	// Connector opens the connections. Required.
	Connector driver.Connector

	// Classify returns the outcome of a call on a connection. Default: Classify.
	Classify func(error) breaker.Outcome
	// IncludeRows makes a query end when its rows have been closed, not when they begin. An error of a row is then classified
	// too, and SlowCall and MaxCallTime of the breaker apply to the whole.
	IncludeRows bool
}

// New returns a connector for sql.OpenDB, or all mistakes in cfg. It connects nothing.
func New(cfg Config) (driver.Connector, error) {
	var mistakes []error
	if cfg.Breaker == nil {
		mistakes = append(mistakes, errors.New("sqlbreaker: Breaker is required"))
	}
	if cfg.Connector == nil {
		mistakes = append(mistakes, errors.New("sqlbreaker: Connector is required"))
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	if cfg.Classify == nil {
		cfg.Classify = Classify
	}
	return &connector{
		protector: protector{breaker: cfg.Breaker, classify: cfg.Classify, includeRows: cfg.IncludeRows}, inner: cfg.Connector,
	}, nil
}

type connector struct {
	protector protector // copied into connections
	inner     driver.Connector
}

// Connect opens a connection.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := protect(ctx, &protector{breaker: c.protector.breaker, classify: classifyConnect}, c.inner.Connect)
	if err != nil {
		return nil, err
	}
	return newConn(c.protector, inner), nil
}

// Driver returns the wrapped connector's driver.
func (c *connector) Driver() driver.Driver { return c.inner.Driver() }

// Close closes the wrapped connector if it is an io.Closer.
func (c *connector) Close() error {
	if closer, ok := c.inner.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}
