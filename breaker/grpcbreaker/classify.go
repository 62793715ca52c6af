package grpcbreaker

import (
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/breaker"
)

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

// classify classifies how a call ended, and looks for a hint at how long the server wants to be left alone.
func (g *Interceptor) classify(err error, trailer metadata.MD) callEnd {
	if err == nil {
		return callEnd{outcome: g.cfg.Classify(codes.OK)}
	}
	if breaker.IsRejected(err) {
		return callEnd{outcome: breaker.Neutral} // by a breaker further inside
	}
	st, ok := status.FromError(err)
	if !ok {
		st = status.FromContextError(err)
	}
	end := callEnd{outcome: g.cfg.Classify(st.Code()), cause: err}
	if code := st.Code(); code == codes.Unavailable || code == codes.ResourceExhausted {
		end.wait = max(retryInfo(st), pushback(trailer))
	}
	return end
}

// retryInfo returns the delay of google.rpc.RetryInfo, 0 without one. One that a breaker in the server has made (see
// breaker.OpenError) is about something behind the server: it must not take the server from its clients.
func retryInfo(st *status.Status) time.Duration {
	var delay time.Duration
	for _, detail := range st.Details() {
		switch detail := detail.(type) {
		case *errdetails.RetryInfo:
			delay = detail.GetRetryDelay().AsDuration()
		case *errdetails.ErrorInfo:
			if detail.GetReason() == "CIRCUIT_OPEN" && detail.GetDomain() == "github.com/vitals-go/vitals" {
				return 0
			}
		}
	}
	return delay
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
