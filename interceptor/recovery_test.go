package interceptor_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/logtest"
)

const secret = "password=hunter2"

func panics(context.Context, any) (any, error)        { panic(secret) }
func panicsStream(srv any, _ grpc.ServerStream) error { panic(secret) }

// wraps is an interceptor that wraps errors, as logging and auditing ones do.
func wraps(
	ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (any, error) {
	resp, err := handler(ctx, req)
	if err != nil {
		err = fmt.Errorf("audited: %w", err)
	}
	return resp, err
}

// chain composes interceptors as grpc does, the first one outermost.
func chain(info *grpc.UnaryServerInfo, handler grpc.UnaryHandler, parts ...grpc.UnaryServerInterceptor) grpc.UnaryHandler {
	for _, part := range slices.Backward(parts) {
		inner := handler
		handler = func(ctx context.Context, req any) (any, error) { return part(ctx, req, info, inner) }
	}
	return handler
}

func TestPanicsAreCountedOnceInAnyOrder(t *testing.T) {
	info := &grpc.UnaryServerInfo{FullMethod: "/a.B/C"}
	tests := map[string]func(*interceptor.Recorder, *interceptor.Recovery) []grpc.UnaryServerInterceptor{
		"recorder outside": func(rec *interceptor.Recorder, recovery *interceptor.Recovery) []grpc.UnaryServerInterceptor {
			return []grpc.UnaryServerInterceptor{rec.UnaryServerInterceptor, recovery.UnaryServerInterceptor}
		},
		"recorder inside": func(rec *interceptor.Recorder, recovery *interceptor.Recovery) []grpc.UnaryServerInterceptor {
			return []grpc.UnaryServerInterceptor{recovery.UnaryServerInterceptor, rec.UnaryServerInterceptor}
		},
		"recovery on both sides": func(rec *interceptor.Recorder, recovery *interceptor.Recovery) []grpc.UnaryServerInterceptor {
			return []grpc.UnaryServerInterceptor{recovery.UnaryServerInterceptor, rec.UnaryServerInterceptor, recovery.UnaryServerInterceptor}
		},
		"wrapped between": func(rec *interceptor.Recorder, recovery *interceptor.Recovery) []grpc.UnaryServerInterceptor {
			return []grpc.UnaryServerInterceptor{rec.UnaryServerInterceptor, wraps, recovery.UnaryServerInterceptor}
		},
	}
	for name, parts := range tests {
		t.Run(name, func(t *testing.T) {
			var log logtest.Log
			logger, flush := log.Logger()
			rec, recovery := newRecorder(t, interceptor.Config{}), interceptor.NewRecovery(logger)
			_, err := chain(info, panics, parts(rec, recovery)...)(t.Context(), nil)
			if status.Code(err) != codes.Internal || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the caller gets %v, want Internal and no secret", err)
			}
			checkOnePanic(t, rec)
			flush()
			if !strings.Contains(log.String(), secret) || !strings.Contains(log.String(), "recovery_test.go") {
				t.Errorf("log %q, want cause and stack", log.String())
			}
		})
	}
}

func checkOnePanic(t *testing.T, rec *interceptor.Recorder) {
	t.Helper()
	s := rec.Server().Total
	if s.Panics != 1 || s.ByCode(codes.Internal) != 1 || s.Failures != 1 || s.Handled != 1 || s.InFlight() != 0 {
		t.Errorf("panics %d, Internal %d, failures %d, handled %d, in flight %d; want 1, 1, 1, 1, 0",
			s.Panics, s.ByCode(codes.Internal), s.Failures, s.Handled, s.InFlight())
	}
}

func TestStreamPanicsAreCountedOnceInAnyOrder(t *testing.T) {
	info := &grpc.StreamServerInfo{FullMethod: "/a.B/Follow", IsServerStream: true}
	for _, outside := range []bool{true, false} {
		rec, recovery := newRecorder(t, interceptor.Config{}), interceptor.NewRecovery(slog.New(slog.DiscardHandler))
		first, second := rec.StreamServerInterceptor, recovery.StreamServerInterceptor
		if !outside {
			first, second = second, first
		}
		err := first(rec, idleStream{ctx: t.Context()}, info, func(srv any, stream grpc.ServerStream) error {
			return second(srv, stream, info, panicsStream)
		})
		if status.Code(err) != codes.Internal || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the caller gets %v, want Internal and no secret", err)
		}
		checkOnePanic(t, rec)
	}
}

// brokenError panics when its status is read, as a nil pointer in an interface does.
type brokenError struct{ error }

func (brokenError) GRPCStatus() *status.Status { panic(secret) }

func TestPanicOfReturnedErrorIsRecoveredAndCounted(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	unary, _ := rec.ServerInterceptors()
	returns := func(context.Context, any) (any, error) { return nil, brokenError{} }
	if _, err := unary(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/a.B/C"}, returns); status.Code(err) != codes.Internal {
		t.Errorf("unary: %v, want Internal", err)
	}
	checkOnePanic(t, rec)
	rec = newRecorder(t, interceptor.Config{})
	_, stream := rec.ServerInterceptors()
	err := stream(rec, idleStream{ctx: t.Context()}, &grpc.StreamServerInfo{FullMethod: "/a.B/Follow", IsServerStream: true},
		func(any, grpc.ServerStream) error { return brokenError{} })
	if status.Code(err) != codes.Internal {
		t.Errorf("stream: %v, want Internal", err)
	}
	checkOnePanic(t, rec)
}

func TestRecoveredPanicIsCountedInNewErrorOfItsStatus(t *testing.T) {
	rec, recovery := newRecorder(t, interceptor.Config{}), interceptor.NewRecovery(slog.New(slog.DiscardHandler))
	info := &grpc.UnaryServerInfo{FullMethod: "/a.B/C"}
	_ = unary(t.Context(), rec, "/a.B/C", func(ctx context.Context, in any) (any, error) {
		_, err := recovery.UnaryServerInterceptor(ctx, in, info, panics)
		return nil, status.Convert(err).Err()
	})
	checkOnePanic(t, rec)
}

func TestInternalErrorIsNotPanic(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	_ = unary(t.Context(), rec, "/a.B/C", func(context.Context, any) (any, error) {
		return nil, status.Error(codes.Internal, "internal error")
	})
	if n := rec.Server().Total.Panics; n != 0 {
		t.Errorf("%d panics, want 0", n)
	}
}

func TestPanicKeepsItsValueAndStack(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	defer func() {
		if p := recover(); p != secret {
			t.Errorf("recovered %v, want the handler's value", p)
		}
		buffer := make([]byte, 64<<10)
		if stack := string(buffer[:runtime.Stack(buffer, false)]); !strings.Contains(stack, "interceptor_test.panics(") {
			t.Errorf("the stack does not show the handler:\n%s", stack)
		}
		checkOnePanic(t, rec)
	}()
	_ = unary(t.Context(), rec, "/a.B/C", panics)
}

// A request that a handler panics with is as long as its caller likes.
func TestLongPanicIsTruncatedInLog(t *testing.T) {
	var log logtest.Log
	logger, flush := log.Logger()
	recovery := interceptor.NewRecovery(logger)
	_, _ = recovery.UnaryServerInterceptor(t.Context(), nil, nil, func(context.Context, any) (any, error) {
		panic(strings.Repeat(secret, 100_000))
	})
	flush()
	if text := log.String(); !strings.Contains(text, secret) || len(text) > 64<<10 {
		t.Errorf("%d bytes in the log, want the beginning of the cause", len(text))
	}
}

func TestPanicAfterCancellationIsCounted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	rec, recovery := newRecorder(t, interceptor.Config{}), interceptor.NewRecovery(slog.New(slog.DiscardHandler))
	info := &grpc.UnaryServerInfo{FullMethod: "/a.B/C"}
	_, _ = chain(info, panics, rec.UnaryServerInterceptor, recovery.UnaryServerInterceptor)(ctx, nil)
	checkOnePanic(t, rec)
}

func TestGoexitIsCounted(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = unary(context.Background(), rec, "/a.B/C", func(context.Context, any) (any, error) {
			runtime.Goexit()
			return nil, nil
		})
	}()
	<-done
	done = make(chan struct{})
	go func() {
		defer close(done)
		info := &grpc.StreamServerInfo{FullMethod: "/a.B/Follow"}
		_ = rec.StreamServerInterceptor(rec, idleStream{ctx: context.Background()}, info, func(any, grpc.ServerStream) error {
			runtime.Goexit()
			return nil
		})
	}()
	<-done
	s := rec.Server().Total
	if s.Handled != 2 || s.InFlight() != 0 || s.Failures != 2 || s.Panics != 0 {
		t.Errorf("handled %d, in flight %d, failures %d, panics %d; want 2, 0, 2, 0",
			s.Handled, s.InFlight(), s.Failures, s.Panics)
	}
}

func TestDefaultLoggerReceivesPanics(t *testing.T) {
	var log logtest.Log
	logger, flush := log.Logger()
	before := slog.Default()
	slog.SetDefault(logger)
	defer slog.SetDefault(before)
	recovery := interceptor.NewRecovery(nil)
	_, _ = recovery.UnaryServerInterceptor(t.Context(), nil, nil, panics)
	flush()
	if !strings.Contains(log.String(), secret) || strings.Count(log.String(), "logger=plugin.health") != 1 {
		t.Errorf("log %q, want the panic and one attribute logger", log.String())
	}
}

// TestPanicsBehindOtherRecoveries places recoveries of other libraries between recorder and handler.
func TestPanicsBehindOtherRecoveries(t *testing.T) {
	var log logtest.Log
	logger, flush := log.Logger()
	ours := interceptor.NewRecovery(logger)
	for name, test := range map[string]struct {
		handler []recovery.Option
		code    codes.Code
	}{
		"HandlePanic":           {[]recovery.Option{recovery.WithRecoveryHandlerContext(ours.HandlePanic)}, codes.Internal},
		"handler that calls it": {[]recovery.Option{recovery.WithRecoveryHandler(func(p any) error { return fmt.Errorf("kept: %w", ours.HandlePanic(t.Context(), p)) })}, codes.Internal},
		"without a handler":     {nil, codes.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			log = logtest.Log{}
			rec, err := interceptor.New(interceptor.Config{Logger: logger})
			if err != nil {
				t.Fatal(err)
			}
			unary, _ := rec.ServerInterceptors()
			call := chain(&grpc.UnaryServerInfo{FullMethod: "/a.B/C"}, panics, unary, recovery.UnaryServerInterceptor(test.handler...))
			_, err = call(t.Context(), nil)
			if status.Code(err) != test.code {
				t.Errorf("error = %v, want %v", err, test.code)
			}
			flush()
			if n := rec.Server().Total.Panics; n != 1 {
				t.Errorf("%d panics counted, want 1", n)
			}
			if got := log.String(); strings.Count(got, "gRPC handler panicked") != 1 || !strings.Contains(got, secret) || !strings.Contains(got, "recovery_test.go") {
				t.Errorf("log = %s, want the panic once with its stack", got)
			}
		})
	}
}
