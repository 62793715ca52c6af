package sqlbreaker

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/vitals-go/vitals/breaker"
)

// protector is shared by a connection and its statements.
type protector struct {
	breaker     *breaker.Breaker
	classify    func(error) breaker.Outcome
	includeRows bool
	// worked: a call on the connection has succeeded.
	worked bool
}

var errAbandoned = errors.New("sqlbreaker: call ended without a result (panic or runtime.Goexit)")

// protect runs one call through the breaker.
func protect[T any](ctx context.Context, p *protector, call func(context.Context) (T, error)) (T, error) {
	permit, err := p.breaker.Allow(ctx)
	if err != nil {
		var zero T
		return zero, err
	}
	outcome, cause := breaker.Failure, errAbandoned
	defer func() { permit.Record(outcome, cause) }()
	result, err := call(permit.Context())
	outcome, cause = p.outcome(ctx, err), err
	return result, err
}

// outcome classifies the error of a call. A bad connection is neutral if it may have gone stale in the pool, and a
// failure if it has never worked or if the call lasted until its deadline.
func (p *protector) outcome(ctx context.Context, err error) breaker.Outcome {
	outcome := p.classify(err)
	switch {
	case outcome == breaker.Failure:
	case !errors.Is(err, driver.ErrBadConn):
		p.worked = true
	case outcome == breaker.Neutral && (!p.worked || ctx.Err() != nil):
		return breaker.Failure
	}
	return outcome
}

// Classify is the default of Config.Classify: see Outcomes in the package documentation.
func Classify(err error) breaker.Outcome {
	if err == nil {
		return breaker.Success
	}
	// SQLSTATE goes first: some drivers wrap the database's errors as network errors.
	if state, ok := errors.AsType[interface {
		error
		SQLState() string
	}](err); ok && state.SQLState() != "" {
		return classifyState(state.SQLState())
	}
	switch {
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, driver.ErrSkip), breaker.IsRejected(err):
		return breaker.Neutral
	case errors.Is(err, sql.ErrNoRows), errors.Is(err, sql.ErrTxDone):
		return breaker.Success
	case errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe): // of a closed connection
		return breaker.Failure
	}
	if _, ok := errors.AsType[net.Error](err); ok { // also syscall.Errno and net.ErrClosed
		return breaker.Failure
	}
	return breaker.Neutral
}

// classifyState classifies by the SQLSTATE classes of PostgreSQL.
func classifyState(state string) breaker.Outcome {
	for _, class := range [...]string{"08", "53", "57P0", "58"} {
		if strings.HasPrefix(state, class) {
			return breaker.Failure
		}
	}
	return breaker.Success
}

// classifyConnect classifies an attempt to open a connection: an error is a failure unless the database responded, as to
// a wrong password.
func classifyConnect(err error) breaker.Outcome {
	switch {
	case err == nil, errors.Is(err, context.Canceled), breaker.IsRejected(err):
		return breaker.Neutral
	case Classify(err) == breaker.Success:
		return breaker.Success
	default:
		return breaker.Failure
	}
}
