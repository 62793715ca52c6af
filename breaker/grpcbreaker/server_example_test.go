package grpcbreaker_test

import (
	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/breaker/grpcbreaker"
)

// A server whose handlers return the rejections of a breaker.
func ExampleServerOptions() {
	server := grpc.NewServer(grpcbreaker.ServerOptions()...)
	server.Stop()
	// Output:
}
