package interceptor

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/errtext"
)

// errPanic is the error of a recovered panic. A Recorder recognizes it.
var errPanic = status.Error(codes.Internal, "internal error")

// Recovery turns a panic of a handler into codes.Internal with a fixed text. The panic's value and stack go to the log
// and never to the caller. Create it with NewRecovery. All methods are safe for concurrent use.
//
// A Recorder counts the panic once, wherever the two stand in the chain.
type Recovery struct{ log logger }

// NewRecovery returns a Recovery that logs to logger, nil meaning slog.Default().
func NewRecovery(logger *slog.Logger) *Recovery { return &Recovery{newLogger(logger)} }

// UnaryServerInterceptor is a grpc.UnaryServerInterceptor. Place it last in the chain, or next to a Recorder.
func (r *Recovery) UnaryServerInterceptor(
	ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (resp any, err error) {
	defer r.recovered(ctx, &err)
	return handler(ctx, req)
}

// StreamServerInterceptor is a grpc.StreamServerInterceptor. Place it last in the chain, or next to a Recorder.
func (r *Recovery) StreamServerInterceptor(
	srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler,
) (err error) {
	defer r.recovered(stream.Context(), &err)
	return handler(srv, stream)
}

// recovered ends a panic, logs it and sets err. It must be deferred itself.
func (r *Recovery) recovered(ctx context.Context, err *error) {
	p := recover()
	if p == nil {
		return
	}
	*err = errPanic
	method, _ := grpc.Method(ctx)
	stack := debug.Stack()
	r.log.log(ctx, slog.LevelError, "gRPC handler panicked", func() []slog.Attr {
		return []slog.Attr{
			slog.String("method", method), slog.String("panic", errtext.Cut(fmt.Sprint(p))), slog.String("stack", string(stack)),
		}
	})
}
