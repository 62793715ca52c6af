package breaker

import (
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
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
	plain := status.New(codes.Unavailable, e.Error())
	details := []protoadapt.MessageV1{&errdetails.ErrorInfo{
		Reason: "CIRCUIT_OPEN", Domain: "github.com/vitals-go/vitals", Metadata: map[string]string{"breaker": e.Name},
	}}
	if wait := e.RetryAfter(); wait > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
	}
	if detailed, err := plain.WithDetails(details...); err == nil {
		return detailed
	}
	return plain
}

// IsRejected reports whether err wraps an *OpenError: the dependency was not called.
func IsRejected(err error) bool {
	_, ok := errors.AsType[*OpenError](err)
	return ok
}
