package interceptor_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/selector"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/interceptor"
)

func ExampleNew() {
	rec, err := interceptor.New(interceptor.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := grpc.NewServer(rec.ServerOptions()...)
	defer server.Stop()
	// Register services here, then tell the recorder their names.
	rec.Register(server)

	// What the server does with each call:
	info := &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Get"}
	rec.UnaryServerInterceptor(context.Background(), nil, info, func(context.Context, any) (any, error) {
		return nil, status.Error(codes.Unavailable, "no stock")
	})

	window := rec.ServerSummary().Window
	fmt.Println(window.Requests, "requests,", window.Failures, "failed")
	// Output: 1 requests, 1 failed
}

func ExampleNewRecovery() {
	recovery := interceptor.NewRecovery(slog.New(slog.DiscardHandler))
	info := &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Get"}
	_, err := recovery.UnaryServerInterceptor(context.Background(), nil, info, func(context.Context, any) (any, error) {
		panic("password is hunter2")
	})
	fmt.Println(status.Code(err), status.Convert(err).Message())
	// Output: Internal internal error
}

// Alerts count what is the server's fault.
func ExampleIsFailure() {
	for _, code := range []codes.Code{codes.OK, codes.NotFound, codes.Canceled, codes.Unavailable, codes.Internal} {
		fmt.Println(code, interceptor.IsFailure(code))
	}
	// Output:
	// OK false
	// NotFound false
	// Canceled false
	// Unavailable true
	// Internal true
}

// Config.Skip leaves out what is about the server, and one method more.
func ExampleIsInfrastructure() {
	skip := func(_ context.Context, fullMethod string) bool {
		return interceptor.IsInfrastructure(fullMethod) || fullMethod == "/shop.v1.Orders/Ping"
	}
	config := interceptor.Config{Skip: skip}
	for _, method := range []string{"/grpc.health.v1.Health/Check", "/shop.v1.Orders/Ping", "/shop.v1.Orders/Place"} {
		fmt.Println(method, config.Skip(context.Background(), method))
	}
	// Output:
	// /grpc.health.v1.Health/Check true
	// /shop.v1.Orders/Ping true
	// /shop.v1.Orders/Place false
}

// A server that serves one call at a time, and rejects others at once.
func ExampleNewLimiter() {
	limiter := interceptor.NewLimiter(1)
	info := &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Place"}
	_, _ = limiter.UnaryServerInterceptor(context.Background(), nil, info, func(ctx context.Context, _ any) (any, error) {
		_, err := limiter.UnaryServerInterceptor(ctx, nil, info, nil)
		fmt.Println(err)
		return nil, nil
	})
	// Output: rpc error: code = ResourceExhausted desc = too many calls in flight
}

// The selector of go-grpc-middleware chooses the calls that pass through an interceptor, here those of one service.
func ExampleRecorder_UnaryServerInterceptor_selector() {
	rec, err := interceptor.New(interceptor.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	orders := selector.MatchFunc(func(_ context.Context, call interceptors.CallMeta) bool {
		return call.Service == "shop.v1.Orders"
	})
	selected := selector.UnaryServerInterceptor(rec.UnaryServerInterceptor, orders)
	server := grpc.NewServer(grpc.ChainUnaryInterceptor(selected))
	defer server.Stop()

	// What the server does with each call:
	for _, method := range []string{"/shop.v1.Orders/Get", "/shop.v1.Carts/Get"} {
		info := &grpc.UnaryServerInfo{FullMethod: method}
		selected(context.Background(), nil, info, func(context.Context, any) (any, error) { return nil, nil })
	}
	fmt.Println(rec.ServerSummary().Total.Handled, "call recorded")
	// Output: 1 call recorded
}

// Every decade has the same bounds.
func ExampleBucketBound() {
	decade := 0
	for i := 0; interceptor.BucketBound(i) <= 10*time.Microsecond; i++ {
		if interceptor.BucketBound(i) > time.Microsecond {
			decade++
		}
	}
	fmt.Println(interceptor.BucketBound(0), decade, "a decade")
	// Output: 100ns 22 a decade
}

func ExampleHTTPError() {
	for _, code := range []int{200, 404, 429, 503} {
		err := interceptor.HTTPError(code)
		fmt.Println(code, status.Code(err), interceptor.IsFailure(status.Code(err)))
	}
	// Output:
	// 200 OK false
	// 404 NotFound false
	// 429 ResourceExhausted false
	// 503 Unavailable true
}

func ExampleCodeBounds() {
	bounds := interceptor.CodeBounds()
	fmt.Println(len(bounds), "bounds in seconds, from", bounds[0], "to", bounds[len(bounds)-1])
	// Output: 14 bounds in seconds, from 0.005 to 10
}
