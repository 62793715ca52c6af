// Program vitals is a server with everything.
package main

import (
	"context"
	"net"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals"
)

func main() {
	cfg, err := vitals.ConfigFromEnv()
	if err != nil {
		panic(err)
	}
	health, err := vitals.New(cfg)
	if err != nil {
		panic(err)
	}
	lis, err := net.Listen("tcp", ":0")
	if err != nil {
		panic(err)
	}
	_ = health.Serve(context.Background(), grpc.NewServer(health.ServerOptions()...), lis)
}
