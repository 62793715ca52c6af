package healthclient_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals/servicer/healthclient"
)

// exampleServer serves grpc-go's health service in memory.
func exampleServer() (status *health.Server, conn *grpc.ClientConn, stop func()) {
	lis, server := bufconn.Listen(1<<16), grpc.NewServer()
	status = health.NewServer()
	healthpb.RegisterHealthServer(server, status)
	served := make(chan error, 1)
	go func() { served <- server.Serve(lis) }()
	conn, err := grpc.NewClient("passthrough:///memory", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	if err != nil {
		panic(err)
	}
	return status, conn, func() { conn.Close(); server.Stop(); <-served }
}

func ExampleServiceConfig() {
	config := healthclient.ServiceConfig("shop.v1.Orders")
	fmt.Println(config)
	conn, err := grpc.NewClient("dns:///shop.example:443",
		grpc.WithDefaultServiceConfig(config), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	// Output: {"healthCheckConfig":{"serviceName":"shop.v1.Orders"},"loadBalancingConfig":[{"round_robin":{}}]}
}

// The file also imports _ "google.golang.org/grpc/balancer/weightedroundrobin".
func ExampleWeightedServiceConfig() {
	config := healthclient.WeightedServiceConfig("shop.v1.Orders")
	fmt.Println(config)
	conn, err := grpc.NewClient("dns:///shop.example:443",
		grpc.WithDefaultServiceConfig(config), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	// Output: {"healthCheckConfig":{"serviceName":"shop.v1.Orders"},"loadBalancingConfig":[{"weighted_round_robin":{}}]}
}

func ExampleWaitServing() {
	status, conn, stop := exampleServer()
	defer stop()
	time.AfterFunc(10*time.Millisecond, func() { status.SetServingStatus("shop.v1.Orders", serving) })

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	fmt.Println(healthclient.WaitServing(ctx, conn, "shop.v1.Orders"))
	// Output: <nil>
}

func ExampleWatch() {
	status, conn, stop := exampleServer()
	defer stop()
	for state := range healthclient.Watch(context.Background(), conn, "") {
		fmt.Println(state)
		if !state.Serving() {
			break
		}
		status.SetServingStatus("", notServing)
	}
	// Output:
	// SERVING
	// NOT_SERVING
}
