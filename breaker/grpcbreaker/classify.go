package grpcbreaker

import (
	"errors"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/breaker"
)

var errAbandoned = errors.New("grpcbreaker: the call ended without a result (panic or runtime.Goexit)")

// Classify is the default classifier: see the package documentation.
func Classify(code codes.Code) breaker.Outcome {
	switch code {
	case codes.Unavailable, codes.Internal, codes.Unknown, codes.DataLoss, codes.DeadlineExceeded:
		return breaker.Failure
	case codes.Canceled, codes.Aborted, codes.Unimplemented, codes.ResourceExhausted:
		return breaker.Neutral
	default:
		return breaker.Success
	}
}

// judge classifies how a call ended, and leaves the dependency alone if it asks for that. The trip comes first: after
// a neutral probe another call could slip in between.
func (g *Guard) judge(b *breaker.Breaker, err error, trailer metadata.MD) breaker.Outcome {
	if err == nil {
		return g.cfg.Classify(codes.OK)
	}
	if breaker.IsRejected(err) {
		return breaker.Neutral // by a breaker further inside
	}
	st, ok := status.FromError(err)
	if !ok {
		st = status.FromContextError(err)
	}
	if code := st.Code(); code == codes.Unavailable || code == codes.ResourceExhausted {
		b.TripFor(max(retryInfo(st), pushback(trailer)))
	}
	return g.cfg.Classify(st.Code())
}

// retryInfo returns the delay of google.rpc.RetryInfo, 0 without one.
func retryInfo(st *status.Status) time.Duration {
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration()
		}
	}
	return 0
}

// pushback returns the delay of gRPC's retry pushback (gRFC A6). A negative or unreadable one means never to retry
// this call, which says nothing about the next one.
func pushback(trailer metadata.MD) time.Duration {
	values := trailer.Get("grpc-retry-pushback-ms")
	if len(values) != 1 {
		return 0
	}
	ms, err := strconv.ParseInt(values[0], 10, 32)
	if err != nil {
		return 0
	}
	return max(time.Duration(ms)*time.Millisecond, 0)
}
