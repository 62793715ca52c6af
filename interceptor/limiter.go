package interceptor

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/internal/rejection"
)

// Limiter rejects calls beyond a number in flight with RESOURCE_EXHAUSTED and google.rpc.ErrorInfo (reason TOO_MANY_CALLS), so
// that a server which is overloaded still serves what it can. A stream counts for as long as it is open. Calls of health,
// reflection, reports and load reports are neither counted nor rejected: see IsInfrastructure.
//
// Chain its interceptors after those of a Recorder, whose statistics then have the rejections: Window.ResourceExhausted. A call
// costs two additions to one shared counter, a rejection allocates nothing. All methods are safe for concurrent use.
type Limiter struct {
	max      int64
	inFlight atomic.Int64 // written and read by each call; nothing else depends on its order
	err      error
}

// NewLimiter returns a Limiter for maxInFlight calls at a time; 0 or less means no limit.
func NewLimiter(maxInFlight int) *Limiter {
	return &Limiter{max: int64(maxInFlight), err: rejection.TooManyCalls(maxInFlight).Err()}
}

// UnaryServerInterceptor is a grpc.UnaryServerInterceptor.
func (l *Limiter) UnaryServerInterceptor(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if l.max <= 0 || IsInfrastructure(info.FullMethod) {
		return handler(ctx, request)
	}
	defer l.inFlight.Add(-1)
	if l.inFlight.Add(1) > l.max {
		return nil, l.err
	}
	return handler(ctx, request)
}

// StreamServerInterceptor is a grpc.StreamServerInterceptor.
func (l *Limiter) StreamServerInterceptor(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	if l.max <= 0 || IsInfrastructure(info.FullMethod) {
		return handler(service, stream)
	}
	defer l.inFlight.Add(-1)
	if l.inFlight.Add(1) > l.max {
		return l.err
	}
	return handler(service, stream)
}
