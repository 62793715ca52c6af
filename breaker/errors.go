package breaker

import (
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// ErrOpen is what every rejection is, by errors.Is.
var ErrOpen = errors.New("circuit breaker is open")

// errorDomain and errorReason identify a rejection in google.rpc.ErrorInfo.
const (
	errorDomain = "github.com/vitals-go/vitals"
	errorReason = "CIRCUIT_OPEN"
)

// OpenError is the rejection of a call by a breaker: the dependency was not called.
//
// By errors.Is it is ErrOpen and, so that code written for gobreaker keeps working, gobreaker.ErrOpenState or
// gobreaker.ErrTooManyRequests, depending on State. It does not unwrap to Cause: a rejection is not the failure that
// led to it. One value is shared by all calls that are turned away between two transitions; do not change it.
type OpenError struct {
	// Name of the breaker.
	Name string
	// State is Open, or HalfOpen when a probe is under way or a check is expected to do the probing.
	State State
	// RetryAt is when the next probe is let through; zero when that depends on a probe or on an operator.
	RetryAt time.Time
	// Cause is the failure that opened the breaker, nil if an operator did. It may hold secrets.
	Cause error
}

// Error names the breaker and its state; it never holds the text of Cause.
func (e *OpenError) Error() string { return "circuit breaker " + e.Name + " is " + e.State.String() }

// Is reports whether target is a sentinel of this kind of rejection.
func (e *OpenError) Is(target error) bool {
	switch target {
	case ErrOpen:
		return true
	case gobreaker.ErrOpenState:
		return e.State == Open
	case gobreaker.ErrTooManyRequests:
		return e.State == HalfOpen
	default:
		return false
	}
}

// RetryAfter returns how long, from now, a new attempt is pointless; 0 if that is not known.
func (e *OpenError) RetryAfter() time.Duration {
	if e.RetryAt.IsZero() {
		return 0
	}
	return max(time.Until(e.RetryAt), 0)
}

// CircuitOpen reports true: a checker recognises a rejection by this method, without knowing this package.
func (e *OpenError) CircuitOpen() bool { return true }

// GRPCStatus makes a server that returns a rejection as it is answer UNAVAILABLE, with google.rpc.ErrorInfo (reason
// CIRCUIT_OPEN) and, when it is known, google.rpc.RetryInfo. It tells the caller nothing about Cause.
func (e *OpenError) GRPCStatus() *status.Status {
	plain := status.New(codes.Unavailable, e.Error())
	info := &errdetails.ErrorInfo{
		Reason:   errorReason,
		Domain:   errorDomain,
		Metadata: map[string]string{"breaker": e.Name},
	}
	var detailed *status.Status
	var err error
	if wait := e.RetryAfter(); wait > 0 {
		detailed, err = plain.WithDetails(info, &errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
	} else {
		detailed, err = plain.WithDetails(info)
	}
	if err != nil {
		return plain
	}
	return detailed
}

// IsRejected reports whether err means that a breaker turned the call away, so that the dependency was not called.
func IsRejected(err error) bool {
	_, ok := errors.AsType[*OpenError](err)
	return ok
}
