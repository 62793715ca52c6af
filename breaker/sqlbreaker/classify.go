package sqlbreaker

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/vitals-go/vitals/breaker"
)

// calls is what a connection and its statements share.
type calls struct {
	breaker  *breaker.Breaker
	classify func(error) breaker.Outcome
	// worked says that the connection has been good for a call.
	worked bool
}

var errAbandoned = errors.New("sqlbreaker: the call ended without a result (panic or runtime.Goexit)")

// protected makes one call through the breaker.
func protected[T any](ctx context.Context, g *calls, call func(context.Context) (T, error)) (T, error) {
	permit, err := g.breaker.Allow(ctx)
	if err != nil {
		var none T
		return none, err
	}
	outcome, cause := breaker.Failure, errAbandoned
	defer func() { permit.Record(outcome, cause) }()
	result, err := call(permit.Context())
	outcome, cause = g.outcome(ctx, err), err
	return result, err
}

// outcome classifies the error of a call. A connection that has gone bad says nothing if it may have gone stale in the
// pool, but it does if it has never worked, or if the call has waited until its deadline to learn that.
func (g *calls) outcome(ctx context.Context, err error) breaker.Outcome {
	outcome := g.classify(err)
	switch {
	case outcome == breaker.Failure:
	case !errors.Is(err, driver.ErrBadConn):
		g.worked = true
	case outcome == breaker.Neutral && (!g.worked || ctx.Err() != nil):
		return breaker.Failure
	}
	return outcome
}

// Classify is the default classifier: see the package documentation.
func Classify(err error) breaker.Outcome {
	if err == nil {
		return breaker.Success
	}
	// The database's own word goes first: drivers also dress up their own errors as network errors.
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
	case isTransport(err):
		return breaker.Failure
	default:
		return breaker.Neutral
	}
}

// classifyState judges by the classes of SQLSTATE that PostgreSQL documents.
func classifyState(state string) breaker.Outcome {
	for _, class := range [...]string{"08", "53", "57P0", "58"} {
		if strings.HasPrefix(state, class) {
			return breaker.Failure
		}
	}
	return breaker.Success
}

func isTransport(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[syscall.Errno](err); ok {
		return true
	}
	for _, target := range [...]error{
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, context.DeadlineExceeded, os.ErrDeadlineExceeded,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// classifyConnect judges an attempt to open a connection: whatever its error is, there is no connection. Only a
// database that answers, to say for instance that the password is wrong, is there.
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
