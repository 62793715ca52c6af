package grpcbreaker_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/grpcbreaker"
)

// fakeCalls makes unary calls without a connection.
type fakeCalls struct {
	*grpcbreaker.Interceptor
	options int   // of the last call
	err     error // of the next ones
}

func (f *fakeCalls) invoke(_ context.Context, _ string, _, _ any, _ *grpc.ClientConn, opts ...grpc.CallOption) error {
	f.options = len(opts)
	return f.err
}

func (f *fakeCalls) call(ctx context.Context) {
	_ = f.UnaryClientInterceptor(ctx, unaryMethod, nil, nil, nil, f.invoke)
}

// succeed makes so many calls that trailers are no longer read.
func (f *fakeCalls) succeed(ctx context.Context) {
	f.err = nil
	for range 1001 {
		f.call(ctx)
	}
}

func TestTrailerIsReadUntilCallsSucceed(t *testing.T) {
	synctest.Test(t, testTrailerIsReadUntilCallsSucceed)
}

func testTrailerIsReadUntilCallsSucceed(t *testing.T) {
	b, interceptor := newGuard(t, breaker.Config{ConsecutiveFailures: -1, FailureRate: -1})
	calls := &fakeCalls{Interceptor: interceptor}
	expect := func(when string, want int) {
		t.Helper()
		if calls.call(t.Context()); calls.options != want {
			t.Errorf("%s: %d call options, want %d", when, calls.options, want)
		}
	}
	expect("first call", 1)
	calls.succeed(t.Context())
	expect("after many successes", 0)
	calls.err = status.Error(codes.NotFound, "an answer")
	expect("after many successes", 0)
	expect("after an answer", 0)
	for _, code := range []codes.Code{codes.Unavailable, codes.ResourceExhausted} {
		calls.err = status.Error(code, "overloaded")
		calls.call(t.Context())
		expect("after "+code.String(), 1)
		calls.succeed(t.Context())
		expect("after many successes", 0)
	}

	b.TripFor(time.Minute)
	time.Sleep(2 * time.Minute)
	expect("half-open probe", 1)
}
