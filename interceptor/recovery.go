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

// errPanic is the error of a recovered panic. A Recorder recognizes it.
var errPanic = status.Error(codes.Internal, "internal error")

// Recovery turns a panic of a handler into codes.Internal with a fixed text: go-grpc-middleware's recovery interceptors
// with a handler that writes the panic's value and stack to the log and never to the caller. A Recorder counts the panic
// once, wherever the two stand in the chain. Create it with NewRecovery.
type Recovery struct {
	unary  grpc.UnaryServerInterceptor
	stream grpc.StreamServerInterceptor
}

// NewRecovery returns a Recovery that logs to logger, nil meaning slog.Default().
func NewRecovery(logger *slog.Logger) *Recovery {
	handler := recovery.WithRecoveryHandlerContext(newLogger(logger).panicked)
	return &Recovery{recovery.UnaryServerInterceptor(handler), recovery.StreamServerInterceptor(handler)}
}

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

// logger writes all log records of the package.
type logger struct{ out *slog.Logger }

// newLogger returns a logger that writes to out, nil meaning slog.Default().
func newLogger(out *slog.Logger) logger {
	if out == nil {
		out = slog.Default()
	}
	return logger{out.With(slog.String("logger", "plugin.health")).WithGroup("vitals")}
}

// panicked logs the panic p of a handler and returns the error for the caller. The stack is the handler's only while
// the function that recovered runs.
func (l logger) panicked(ctx context.Context, p any) error {
	method, _ := grpc.Method(ctx)
	stack := debug.Stack()
	l.log(ctx, slog.LevelError, "gRPC handler panicked", func() []slog.Attr {
		return []slog.Attr{
			slog.String("method", method), slog.String("panic", errtext.Cut(fmt.Sprint(p))), slog.String("stack", string(stack)),
		}
	})
	return errPanic
}

// log writes one record and returns when the handler has. Both attrs and the handler run in a goroutine of their own,
// so that a panic or runtime.Goexit in them ends neither the process nor the call.
func (l logger) log(ctx context.Context, level slog.Level, message string, attrs func() []slog.Attr) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		l.out.LogAttrs(ctx, level, message, attrs()...)
	}()
	<-done
}
