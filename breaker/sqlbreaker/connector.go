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
	// Breaker guards every call. Required.
	Breaker *breaker.Breaker

	// Connector opens the connections. Required.
	Connector driver.Connector

	// Classify judges the error of a call on a connection. Default: Classify, see the package documentation.
	Classify func(error) breaker.Outcome
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
	return &connector{guard: calls{breaker: cfg.Breaker, classify: cfg.Classify}, inner: cfg.Connector}, nil
}

type connector struct {
	guard calls // of the connections to come
	inner driver.Connector
}

// Connect opens a connection. To have opened one proves little, but to have failed does.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := protected(ctx, &calls{breaker: c.guard.breaker, classify: classifyConnect}, c.inner.Connect)
	if err != nil {
		return nil, err
	}
	return newConn(c.guard, inner), nil
}

// Driver returns the driver that is wrapped.
func (c *connector) Driver() driver.Driver { return c.inner.Driver() }

// Close closes the wrapped connector if it can be closed, as sql.DB.Close does.
func (c *connector) Close() error {
	if closer, ok := c.inner.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}
