// Package rejection recognizes calls that a circuit breaker has rejected, in this process or in a gRPC server, and makes
// errors of calls that a server rejects.
package rejection

import (
	"errors"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Reason and domain of the google.rpc.ErrorInfo in the status of a rejection.
const (
	reason = "CIRCUIT_OPEN"
	domain = "github.com/vitals-go/vitals"
)

// Trailer and Pushback end gRPC's own retries (gRFC A6).
const (
	Trailer  = "grpc-retry-pushback-ms"
	Pushback = "-1"
)

// Status returns the status of a rejection by the breaker called name: UNAVAILABLE with google.rpc.ErrorInfo and, if
// retryAfter is positive, google.rpc.RetryInfo.
func Status(message, name string, retryAfter time.Duration) *status.Status {
	return unavailable(message, retryAfter, reason, map[string]string{"breaker": name})
}

// NotServing returns the same for a call of a service that does not serve. Is does not report it.
func NotServing(message, service, cause string, retryAfter time.Duration) *status.Status {
	return unavailable(message, retryAfter, "NOT_SERVING", map[string]string{"service": service, "reason": cause})
}

// TooManyCalls returns the status of a call beyond a limit of calls in flight: RESOURCE_EXHAUSTED with google.rpc.ErrorInfo.
func TooManyCalls(limit int) *status.Status {
	return detailed(codes.ResourceExhausted, "too many calls in flight", 0, "TOO_MANY_CALLS", map[string]string{"max_in_flight": strconv.Itoa(limit)})
}

func unavailable(message string, retryAfter time.Duration, reason string, metadata map[string]string) *status.Status {
	return detailed(codes.Unavailable, message, retryAfter, reason, metadata)
}

func detailed(code codes.Code, message string, retryAfter time.Duration, reason string, metadata map[string]string) *status.Status {
	plain := status.New(code, message)
	details := []protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: reason, Domain: domain, Metadata: metadata}}
	if retryAfter > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter)})
	}
	if detailed, err := plain.WithDetails(details...); err == nil {
		return detailed
	}
	return plain
}

// Is reports whether err is a rejection. It does not allocate for other errors without details.
func Is(err error) bool {
	if local, ok := errors.AsType[interface {
		error
		CircuitOpen() bool
	}](err); ok {
		return local.CircuitOpen()
	}
	remote, ok := errors.AsType[interface {
		error
		GRPCStatus() *status.Status
	}](err)
	return ok && IsStatus(remote.GRPCStatus())
}

// IsStatus reports whether a status is that of a rejection.
func IsStatus(st *status.Status) bool {
	if st.Code() != codes.Unavailable {
		return false
	}
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetReason() == reason && info.GetDomain() == domain {
			return true
		}
	}
	return false
}
