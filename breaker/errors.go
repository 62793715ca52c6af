package breaker

import (
	"context"
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/rejection"
)

// ErrOpen matches every rejection with errors.Is.
var ErrOpen = errors.New("circuit breaker is open")

// OpenError is the rejection of a call. With errors.Is it matches ErrOpen, and gobreaker.ErrOpenState or
// gobreaker.ErrTooManyRequests by its State, but not the failure that opened the breaker: see Snapshot.LastFailure.
// All calls rejected between two transitions share it: do not modify it.
type OpenError struct {
	// Name of the breaker.
	Name string
	// State is Open, or HalfOpen while a probe is in flight or a check is expected to probe.
	State State
	// RetryAt is the time of the next probe; zero if it depends on a probe in flight or on an operator.
	RetryAt time.Time

	cause error // the failure that opened the breaker; nil if it is forced
}

// Error returns the breaker's name and state.
func (e *OpenError) Error() string { return "circuit breaker " + e.Name + " is " + e.State.String() }

// Is reports whether target is ErrOpen or gobreaker's error for the State.
func (e *OpenError) Is(target error) bool {
	return target == ErrOpen || target == gobreaker.ErrOpenState && e.State == Open ||
		target == gobreaker.ErrTooManyRequests && e.State == HalfOpen
}

// RetryAfter returns the time from now until RetryAt; 0 if that is unknown or over.
func (e *OpenError) RetryAfter() time.Duration {
	if e.RetryAt.IsZero() {
		return 0
	}
	return max(time.Until(e.RetryAt), 0)
}

// CircuitOpen returns true. Package checker recognizes rejections by this method.
func (e *OpenError) CircuitOpen() bool { return true }

// GRPCStatus returns UNAVAILABLE with google.rpc.ErrorInfo (reason CIRCUIT_OPEN) and, if known, google.rpc.RetryInfo,
// without the cause. A gRPC server that returns the rejection sends this status.
func (e *OpenError) GRPCStatus() *status.Status {
	return rejection.Status(e.Error(), e.Name, e.RetryAfter())
}

// IsRejected reports whether err wraps an *OpenError: the dependency was not called.
func IsRejected(err error) bool {
	_, ok := errors.AsType[*OpenError](err)
	return ok
}

// Retryable reports whether a call that ended with err may be tried again, for retry libraries outside of the breaker. It
// is false for a rejection, also for one that a gRPC server has passed on, and at the end of a context. Of the other errors
// with a gRPC status only Unavailable and ResourceExhausted are retryable; all errors without one are.
func Retryable(err error) bool {
	if err == nil || rejection.Is(err) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	st, ok := status.FromError(err)
	return !ok || st.Code() == codes.Unavailable || st.Code() == codes.ResourceExhausted
}
