// Program servicer serves grpc.health.v1 with statuses that are set by code.
package main

import (
	"context"
	"net"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/servicer"
)

func main() {
	health, err := servicer.New(servicer.Config{})
	if err != nil {
		panic(err)
	}
	health.SetServingStatus("shop.v1.Orders", healthpb.HealthCheckResponse_SERVING)
	lis, err := net.Listen("tcp", ":0")
	if err != nil {
		panic(err)
	}
	server := grpc.NewServer()
	health.RegisterHealth(server)
	_ = health.Serve(context.Background(), server, lis)
}
