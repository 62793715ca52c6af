package connectvitals

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/interceptor"
)

// Options returns options for handlers: their calls are recorded, and a panic is logged and becomes an internal error.
func Options(recorder *interceptor.Recorder, logger *slog.Logger) connect.HandlerOption {
	panics := interceptor.NewRecovery(logger)
	return connect.WithHandlerOptions(
		connect.WithRecover(func(ctx context.Context, _ connect.Spec, _ http.Header, p any) error {
			return connect.NewError(connect.CodeInternal, errors.New(status.Convert(panics.HandlePanic(ctx, p)).Message()))
		}),
		connect.WithInterceptors(recording{recorder}), // inside: it records the panic, which goes on
	)
}

// recording is a connect.Interceptor that records the calls of a handler.
type recording struct{ recorder *interceptor.Recorder }

// WrapUnary implements connect.Interceptor.
func (r recording) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, request connect.AnyRequest) (response connect.AnyResponse, err error) {
		r.record(ctx, request.Spec(), func() error {
			response, err = next(ctx, request)
			return err
		})
		return response, err
	}
}

// WrapStreamingHandler implements connect.Interceptor. A stream that lasts raises the mean response time.
func (r recording) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) (err error) {
		r.record(ctx, conn.Spec(), func() error {
			err = next(ctx, conn)
			return err
		})
		return err
	}
}

// WrapStreamingClient implements connect.Interceptor.
func (recording) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

func (r recording) record(ctx context.Context, spec connect.Spec, call func() error) {
	service, method, _ := strings.Cut(strings.TrimPrefix(spec.Procedure, "/"), "/")
	var result error
	op := r.recorder.Begin(ctx, service, method)
	defer op.End(&result)
	if err := call(); err != nil {
		result = status.Error(codes.Code(connect.CodeOf(err)), "") // the codes are the same numbers
	}
}
