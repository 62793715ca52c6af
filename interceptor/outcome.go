package interceptor

import (
	"context"
	"errors"
	"time"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// IsFailure reports whether a call that ended with code is a failure of the server: Unknown, DeadlineExceeded,
// Unimplemented, Internal, Unavailable and DataLoss are. OK, Canceled and errors of the caller are not, nor is
// ResourceExhausted, which is saturation.
//
// A Recorder makes two exceptions: Unimplemented is a failure of registered methods only, never for a client, and
// DeadlineExceeded only if the deadline left at least Config.MinDeadline.
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
	// shortDeadline marks a DeadlineExceeded that is no failure: less than Config.MinDeadline was left.
	shortDeadline bool
	panicked      bool
}

// statusError is an error that carries a gRPC status.
type statusError interface {
	error
	GRPCStatus() *status.Status
}

// wireCode returns the code that grpc-go's server sends for a handler's error, and whether the error is a recovered panic.
// status.Code differs: it reads context.DeadlineExceeded as Unknown. It allocates nothing and walks err's tree once.
func wireCode(err error) (code codes.Code, panicked bool) {
	if err == nil {
		return codes.OK, false
	}
	failed, ok := err.(statusError) //nolint:errorlint // the common case first, wrapped ones follow
	if !ok {
		failed, ok = errors.AsType[statusError](err)
	}
	if ok {
		if s := failed.GRPCStatus(); s != nil {
			if s.Code() >= NumCodes {
				return codes.Unknown, false // as gRPC's specification says
			}
			return s.Code(), s == panicStatus
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return codes.DeadlineExceeded, false
	case errors.Is(err, context.Canceled):
		return codes.Canceled, false
	default:
		_, panicked = errors.AsType[*recovery.PanicError](err) // of go-grpc-middleware without a handler
		return codes.Unknown, panicked
	}
}

// serverOutcome returns the outcome of a call of m: its handler returned err after elapsed. Once the context has ended,
// the caller receives nothing of what the handler returns.
func (r *Recorder) serverOutcome(ctx context.Context, m *method, err error, elapsed time.Duration) outcome {
	var o outcome
	if o.code, o.panicked = wireCode(err); o.panicked {
		if p, ok := errors.AsType[*recovery.PanicError](err); ok {
			logPanic(ctx, r.log, p.Panic, p.Stack)
		}
		return o
	}
	switch ended := ctx.Err(); {
	case ended == nil:
		if err != nil && o.code == codes.OK && m.typ == Unary {
			o.code = codes.Internal // grpc-go sends no response with an error, and the client fails
		}
	case errors.Is(ended, context.DeadlineExceeded), atDeadline(ctx, elapsed):
		o.code = codes.DeadlineExceeded
	default:
		o.code = codes.Canceled
	}
	o.shortDeadline = o.code == codes.DeadlineExceeded && r.shortDeadline(ctx, elapsed)
	return o
}

// clientOutcome returns the outcome of a client call that returned err after elapsed, whatever its context.
func (r *Recorder) clientOutcome(ctx context.Context, err error, elapsed time.Duration) outcome {
	code, _ := wireCode(err)
	return outcome{code: code, shortDeadline: code == codes.DeadlineExceeded && r.shortDeadline(ctx, elapsed)}
}

// shortDeadline reports whether less than Config.MinDeadline was left when the call began.
func (r *Recorder) shortDeadline(ctx context.Context, elapsed time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && r.config.MinDeadline > 0 && time.Until(deadline)+elapsed < r.config.MinDeadline
}

// atDeadline reports whether a canceled context ended at its deadline. Client and server both enforce the deadline, and
// the client's reset may arrive first. The tolerance is 1/20 of the time allowed, at most 50 ms.
func atDeadline(ctx context.Context, elapsed time.Duration) bool {
	deadline, ok := ctx.Deadline()
	if !ok {
		return false
	}
	left := time.Until(deadline)
	return left <= min((elapsed+left)/20, 50*time.Millisecond)
}
