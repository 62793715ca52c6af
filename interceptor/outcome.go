package interceptor

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// IsFailure reports whether a call that ended with code is the server's own fault: Unknown, DeadlineExceeded,
// Unimplemented, Internal, Unavailable and DataLoss are. OK, Canceled and the caller's mistakes are not, and neither
// is ResourceExhausted, which is saturation.
//
// The code alone does not know two exceptions that a Recorder makes: Unimplemented is a failure for registered
// methods only (never for a client), and DeadlineExceeded only if the caller left the handler the time to run; see
// Config.MinDeadline.
func IsFailure(code codes.Code) bool {
	switch code {
	case codes.Unknown, codes.DeadlineExceeded, codes.Unimplemented, codes.Internal, codes.Unavailable, codes.DataLoss:
		return true
	default:
		return false
	}
}

// outcome is how a call ended.
type outcome struct {
	code codes.Code
	// shortDeadline marks a DeadlineExceeded that is the caller's doing: it left the handler no time to run.
	shortDeadline bool
	panicked      bool
}

// statusError is what grpc-go takes a status from, also when it is wrapped.
type statusError interface {
	error
	GRPCStatus() *status.Status
}

// wireCode returns the code that grpc-go's server makes of a handler's error. status.Code is not it: that reads a
// bare context.DeadlineExceeded as Unknown. Panicked says that a Recovery made the error. It allocates nothing and walks
// the error's tree once, because a failing call should cost hardly more than a good one.
func wireCode(err error) (code codes.Code, panicked bool) {
	if err == nil {
		return codes.OK, false
	}
	failed, ok := err.(statusError) //nolint:errorlint // The common case first; wrapped ones follow.
	if !ok {
		failed, ok = errors.AsType[statusError](err)
	}
	if ok {
		if s := failed.GRPCStatus(); s != nil {
			_, panicked = failed.(*panicError)
			return canonical(s.Code()), panicked
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return codes.DeadlineExceeded, false
	case errors.Is(err, context.Canceled):
		return codes.Canceled, false
	default:
		return codes.Unknown, false
	}
}

// canonical maps numbers that the protocol does not know to Unknown, as the protocol says.
func canonical(code codes.Code) codes.Code {
	if code >= NumCodes {
		return codes.Unknown
	}
	return code
}

// serverOutcome says how a call of m ended whose handler returned err after having run for elapsed. If the context has
// ended, the caller has gone and nobody saw what the handler returned.
func (r *Recorder) serverOutcome(ctx context.Context, m *method, err error, elapsed time.Duration) outcome {
	var o outcome
	if o.code, o.panicked = wireCode(err); o.panicked {
		return o
	}
	switch ended := ctx.Err(); {
	case ended == nil:
		if err != nil && o.code == codes.OK && m.typ == Unary {
			o.code = codes.Internal // gRPC sends no response with an error, and its caller misses one.
		}
	case errors.Is(ended, context.DeadlineExceeded), atDeadline(ctx, elapsed):
		o.code = codes.DeadlineExceeded
	default:
		o.code = codes.Canceled
	}
	o.shortDeadline = o.code == codes.DeadlineExceeded && r.shortDeadline(ctx, elapsed)
	return o
}

// clientOutcome says how a client call ended that returned err after elapsed. What the caller got is the truth here,
// whatever its context says.
func (r *Recorder) clientOutcome(ctx context.Context, err error, elapsed time.Duration) outcome {
	var o outcome
	o.code, _ = wireCode(err)
	o.shortDeadline = o.code == codes.DeadlineExceeded && r.shortDeadline(ctx, elapsed)
	return o
}

// shortDeadline reports whether the deadline of ctx was so near when the call began that it could hardly run.
func (r *Recorder) shortDeadline(ctx context.Context, elapsed time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && r.minDeadline > 0 && time.Until(deadline)+elapsed < r.minDeadline
}

// atDeadline reports whether a cancelled context ended because the caller's deadline had come: caller and server both
// watch it, and the caller's reset often wins by a hair. The hair is a twentieth of the time, 50 ms at most.
func atDeadline(ctx context.Context, elapsed time.Duration) bool {
	deadline, ok := ctx.Deadline()
	if !ok {
		return false
	}
	left := time.Until(deadline)
	return left <= min((elapsed+left)/20, 50*time.Millisecond)
}
