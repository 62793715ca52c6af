package interceptor_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/interceptor"
)

// limited makes a unary call and a stream that fail in the same way.
func limited(t *testing.T, l *interceptor.Limiter, method string, during func()) error {
	t.Helper()
	_, err := l.UnaryServerInterceptor(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: method}, func(context.Context, any) (any, error) {
		during()
		return nil, nil
	})
	errStream := l.StreamServerInterceptor(nil, nil, &grpc.StreamServerInfo{FullMethod: method}, func(any, grpc.ServerStream) error {
		during()
		return nil
	})
	if !errors.Is(err, errStream) {
		t.Errorf("unary %v, stream %v", err, errStream)
	}
	return err
}

func TestLimiterRejectsCallsBeyondItsNumber(t *testing.T) {
	l := interceptor.NewLimiter(2)
	const method = "/shop.v1.Orders/Get"
	inner := func() {}
	err := limited(t, l, method, func() {
		if err := limited(t, l, method, inner); err != nil {
			t.Errorf("the second call: %v", err)
		}
		if err := limited(t, l, method, func() {
			st := status.Convert(limited(t, l, method, func() { t.Error("a call beyond the limit is served") }))
			if st.Code() != codes.ResourceExhausted || len(st.Details()) != 1 {
				t.Fatalf("the third call: %v", st)
			}
			info, is := st.Details()[0].(*errdetails.ErrorInfo)
			if !is || info.GetReason() != "TOO_MANY_CALLS" || info.GetMetadata()["max_in_flight"] != "2" {
				t.Errorf("details are %v", st.Details())
			}
			for _, probe := range []string{"/grpc.health.v1.Health/Check", "/vitals.v1.HealthReportService/GetHealthReport"} {
				if err := limited(t, l, probe, inner); err != nil {
					t.Errorf("%s at the limit: %v", probe, err)
				}
			}
		}); err != nil {
			t.Errorf("the second call, again: %v", err)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

// TestLimiterFreesTheCallOfAHandlerThatEndsInAnyWay: after a panic, a Goexit and many calls at once, all of the limit is left.
func TestLimiterFreesTheCallOfAHandlerThatEndsInAnyWay(t *testing.T) {
	l := interceptor.NewLimiter(1)
	const method = "/shop.v1.Orders/Get"
	for range 10 {
		func() {
			defer func() { _ = recover() }()
			_ = limited(t, l, method, func() { panic("broken") })
		}()
	}
	var calls sync.WaitGroup
	for range 50 {
		calls.Go(func() { _ = limited(t, interceptor.NewLimiter(0), method, func() {}) })
		calls.Go(func() {
			_, _ = l.UnaryServerInterceptor(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: method}, func(context.Context, any) (any, error) { return nil, nil })
		})
	}
	calls.Wait()
	if err := limited(t, l, method, func() {}); err != nil {
		t.Error(err)
	}
}

func TestLimiterAllocatesNothing(t *testing.T) {
	for _, limit := range []int{0, 1, -1} {
		l := interceptor.NewLimiter(limit)
		info := &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Get"}
		again := func(context.Context, any) (any, error) { return nil, nil }
		handler := func(ctx context.Context, _ any) (any, error) { return l.UnaryServerInterceptor(ctx, nil, info, again) }
		if n := testing.AllocsPerRun(100, func() { _, _ = l.UnaryServerInterceptor(t.Context(), nil, info, handler) }); n > 0 {
			t.Errorf("limit %d: %v allocations", limit, n)
		}
	}
}

func BenchmarkLimiter(b *testing.B) {
	info := &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Get"}
	handler := func(context.Context, any) (any, error) { return nil, nil }
	for name, limit := range map[string]int{"none": 0, "1000": 1000} {
		b.Run(name, func(b *testing.B) {
			l := interceptor.NewLimiter(limit)
			for b.Loop() {
				_, _ = l.UnaryServerInterceptor(b.Context(), nil, info, handler)
			}
		})
	}
}
