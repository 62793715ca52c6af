package interceptor_test

import (
	"context"
	"fmt"

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
	rec.UnaryServer(context.Background(), nil, info, func(context.Context, any) (any, error) {
		return nil, status.Error(codes.Unavailable, "no stock")
	})

	window := rec.ServerSummary().Window
	fmt.Println(window.Requests, "requests,", window.Failures, "failed")
	// Output: 1 requests, 1 failed
}

func ExampleNewRecovery() {
	recovery := interceptor.NewRecovery(nil)
	info := &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Get"}
	_, err := recovery.UnaryServer(context.Background(), nil, info, func(context.Context, any) (any, error) {
		panic("password is hunter2")
	})
	fmt.Println(err, status.Code(err))
	// Output: internal error Internal
}
