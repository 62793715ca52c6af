package interceptor

import (
	"cmp"
	"context"
	"log/slog"
	"runtime/debug"
	"sync"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/asynclog"
	"github.com/vitals-go/vitals/internal/errtext"
)

// errPanic is the error of a recovered panic.
var errPanic = panicStatus.Err()

// panicStatus is its status, by which a Recorder recognizes it. Read-only.
var panicStatus = status.New(codes.Internal, "internal error")

// Recovery turns a panic of a handler into codes.Internal with a fixed text: go-grpc-middleware's recovery interceptors
// with a handler that writes the panic's value and stack to the log and never to the caller. A Recorder counts the panic
// once, wherever the two stand in the chain. Create it with NewRecovery.
type Recovery struct {
	log    *asynclog.Logger
	unary  grpc.UnaryServerInterceptor
	stream grpc.StreamServerInterceptor
}

// NewRecovery returns a Recovery that logs to logger, nil meaning slog.Default(), in a goroutine of its own.
func NewRecovery(logger *slog.Logger) *Recovery {
	r := &Recovery{log: newLogger(logger)}
	handler := recovery.WithRecoveryHandlerContext(r.HandlePanic)
	r.unary, r.stream = recovery.UnaryServerInterceptor(handler), recovery.StreamServerInterceptor(handler)
	return r
}

// HandlePanic logs the panic p of a handler with its stack and returns the error for the caller, by which a Recorder counts
// the panic; so does an error that wraps it. It is a handler for recovery interceptors that are kept, such as those of
// go-grpc-middleware, or is called by their handler. Call it from the deferred function that recovers.
func (r *Recovery) HandlePanic(ctx context.Context, p any) error { return panicked(ctx, r.log, p) }

// UnaryServerInterceptor is a grpc.UnaryServerInterceptor. Place it last in the chain, or next to a Recorder.
func (r *Recovery) UnaryServerInterceptor(
	ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (any, error) {
	return r.unary(ctx, req, info, handler)
}

// StreamServerInterceptor is a grpc.StreamServerInterceptor. Place it last in the chain, or next to a Recorder.
func (r *Recovery) StreamServerInterceptor(
	srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) error {
	return r.stream(srv, stream, info, handler)
}

func newLogger(log *slog.Logger) *asynclog.Logger { return asynclog.New(cmp.Or(log, slog.Default())) }

// hookPanic recovers panics of a function of Config, which no Recovery inside would stop, and logs the first.
type hookPanic struct{ logged sync.Once }

// recovered must be deferred itself.
func (h *hookPanic) recovered(ctx context.Context, log *asynclog.Logger, field string) {
	if p := recover(); p != nil {
		h.logged.Do(func() {
			log.LogContext(ctx, slog.LevelError, "Config."+field+" panicked, further panics are not logged",
				slog.String("panic", errtext.Panic(p)))
		})
	}
}

// panicked logs the panic p of a handler and returns the error for the caller. The stack is the handler's only while
// the function that recovered runs.
func panicked(ctx context.Context, log *asynclog.Logger, p any) error {
	logPanic(ctx, log, p, debug.Stack())
	return errPanic
}

func logPanic(ctx context.Context, log *asynclog.Logger, p any, stack []byte) {
	method, _ := grpc.Method(ctx)
	log.LogContext(ctx, slog.LevelError, "gRPC handler panicked",
		slog.String("method", method), slog.String("panic", errtext.Panic(p)), slog.String("stack", string(stack)))
}
