package interceptor

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/errtext"
)

// Recovery turns a panic of a handler into codes.Internal with a fixed text. What the handler panicked with and the
// stack go to the log and never to the caller. Create it with NewRecovery. All methods may be called concurrently.
//
// A Recorder counts the panic whichever of the two stands first in the chain, and once.
type Recovery struct {
	unary  grpc.UnaryServerInterceptor
	stream grpc.StreamServerInterceptor
}

// NewRecovery returns a Recovery that logs to logger, nil meaning slog.Default().
func NewRecovery(logger *slog.Logger) *Recovery { return newRecovery(newLogger(logger)) }

func newRecovery(log logger) *Recovery {
	handle := recovery.WithRecoveryHandlerContext(func(ctx context.Context, p any) error {
		logPanic(ctx, log, p)
		return &panicError{}
	})
	return &Recovery{
		unary:  recovery.UnaryServerInterceptor(handle),
		stream: recovery.StreamServerInterceptor(handle),
	}
}

func logPanic(ctx context.Context, log logger, p any) {
	method, _ := grpc.Method(ctx)
	log.log(ctx, slog.LevelError, "gRPC handler panicked",
		slog.String("method", method),
		slog.String("panic", errtext.Cut(fmt.Sprint(p))),
		slog.String("stack", string(debug.Stack())))
}

// UnaryServerInterceptor is a grpc.UnaryServerInterceptor. It belongs close to the handler, after a Recorder.
func (r *Recovery) UnaryServerInterceptor(
	ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (any, error) {
	return r.unary(ctx, req, info, handler)
}

// StreamServerInterceptor is a grpc.StreamServerInterceptor. It belongs close to the handler, after a Recorder.
func (r *Recovery) StreamServerInterceptor(
	srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) error {
	return r.stream(srv, stream, info, handler)
}

// panicError is what a panic becomes. Its type tells a Recorder further out that there was one.
type panicError struct{}

const panicText = "internal error"

func (*panicError) Error() string { return panicText }

// GRPCStatus makes the error a status for gRPC.
func (*panicError) GRPCStatus() *status.Status { return status.New(codes.Internal, panicText) }
