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
	"github.com/vitals-go/vitals/internal/rejection"
)

// Classify is the default of Config.Classify: see Outcomes in the package documentation.
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

var errAbandoned = errors.New("grpcbreaker: call ended without a result (panic or runtime.Goexit)")

// callEnd is how a call ended.
type callEnd struct {
	outcome breaker.Outcome
	cause   error
	wait    time.Duration // the server's retry hint
}

// record records the end and applies the retry hint. A failure is recorded first, so that the hint can only lengthen
// its open time. Otherwise the hint is applied first: after a neutral probe another call could run in between.
func (e callEnd) record(b *breaker.Breaker, permit *breaker.Permit) {
	if e.outcome == breaker.Failure {
		permit.Record(e.outcome, e.cause)
	}
	if e.outcome != breaker.Success {
		b.TripFor(e.wait)
	}
	permit.Record(e.outcome, e.cause) // no effect after the first
}

// classify returns the outcome and the retry hint of a call. Trailer may be nil.
func (i *Interceptor) classify(err error, trailer func() metadata.MD) callEnd {
	if err == nil {
		if i.trailers.Load() > 0 {
			i.trailers.Add(-1)
		}
		return callEnd{outcome: i.cfg.Classify(codes.OK)}
	}
	if breaker.IsRejected(err) {
		return callEnd{outcome: breaker.Neutral} // by another breaker of the client
	}
	st, ok := status.FromError(err)
	if !ok {
		st = status.FromContextError(err)
	}
	end := callEnd{outcome: i.cfg.Classify(st.Code()), cause: err}
	if code := st.Code(); code == codes.Unavailable || code == codes.ResourceExhausted {
		end.wait = retryInfo(st)
		if trailer != nil {
			end.wait = max(end.wait, pushback(trailer()))
		}
		i.trailers.Store(trailerCalls)
	}
	return end
}

// retryInfo returns the delay of google.rpc.RetryInfo; 0 without one, or if the status is that of a breaker.OpenError
// in the server, which must not reject the server's other calls.
func retryInfo(st *status.Status) (delay time.Duration) {
	if rejection.IsStatus(st) {
		return 0
	}
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			delay = info.GetRetryDelay().AsDuration()
		}
	}
	return delay
}

// pushback returns the delay of gRPC's retry pushback (gRFC A6); 0 for a negative or invalid one, which concerns this
// call only.
func pushback(trailer metadata.MD) time.Duration {
	values := trailer.Get(rejection.Trailer)
	if len(values) != 1 {
		return 0
	}
	ms, err := strconv.ParseInt(values[0], 10, 32)
	if err != nil {
		return 0
	}
	return max(time.Duration(ms)*time.Millisecond, 0)
}
