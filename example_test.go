package vitals_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
)

// A database that answers, and a search that does not: the server is ready all the same, because the search is
// optional.
func ExampleNew() {
	ping := func(context.Context) error { return nil } // db.PingContext
	health, err := vitals.New(vitals.Config{
		Version: "1.4.2",
		Dependencies: []checker.Check{
			{Name: "database", Run: ping},
			{Name: "search", Run: func(context.Context) error { return errors.New("connection refused") }, Optional: true},
		},
		DrainDelay: -1, // no load balancer to wait for
		Logger:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	server := grpc.NewServer(health.ServerOptions()...)
	testpb.RegisterTestServiceServer(server, testpb.UnimplementedTestServiceServer{})
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx, stop := context.WithCancel(context.Background()) // signal.NotifyContext in a program
	ended := make(chan error)
	go func() { ended <- health.Serve(ctx, server, lis) }()

	for report := range health.Server().Changes(ctx) {
		readiness, _ := report.Lookup("readiness")
		search, _ := report.Metric("dependency_search")
		if readiness.Status.String() == "SERVING" && search.Value == "unavailable" {
			fmt.Println("readiness:", readiness.Status)
			fmt.Println("search:", search.Status, "-", search.Message)
			break
		}
	}
	stop()
	fmt.Println("ended:", <-ended)
	// Output:
	// readiness: SERVING
	// search: warning - Dependency search is unavailable
	// ended: <nil>
}

// A plugin of HashiCorp's go-plugin: plugin.Serve takes health.PluginServer, and Run goes on beside it.
func ExampleHealth_PluginServer() {
	health, err := vitals.New(vitals.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- health.Run(ctx) }()

	// plugin.Serve(&plugin.ServeConfig{…, GRPCServer: health.PluginServer}) does what follows, and returns when the host
	// has said goodbye.
	server := health.PluginServer(nil)
	testpb.RegisterTestServiceServer(server, testpb.UnimplementedTestServiceServer{})
	for name := range server.GetServiceInfo() {
		fmt.Println(name)
	}

	end()
	fmt.Println("ended:", <-ended)
	// Unordered output:
	// vitals.v1.HealthReportService
	// grpc.testing.TestService
	// ended: <nil>
}

// A process that serves no gRPC has health all the same: at its HTTP door, in its file, in its log.
func ExampleHealth_Run() {
	health, err := vitals.New(vitals.Config{
		Dependencies: []checker.Check{{Name: "queue", Run: func(context.Context) error { return nil }}},
		DrainDelay:   -1,
		Logger:       slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- health.Run(ctx) }()
	for report := range health.Server().Changes(ctx) {
		if queue, found := report.Metric("dependency_queue"); found && queue.Value == "available" {
			fmt.Println("queue:", queue.Status)
			break
		}
	}
	end()
	fmt.Println("ended:", <-ended)
	fmt.Println("phase:", health.Report().Phase)
	// Output:
	// queue: healthy
	// ended: <nil>
	// phase: stopped
}

// The program starts from its environment, and does not start with one that makes no sense.
func ExampleConfigFromEnv() {
	if err := os.Setenv("PLUGIN_HEALTH_CHECK_INTERVAL", "soon"); err != nil {
		fmt.Println(err)
	}
	defer os.Unsetenv("PLUGIN_HEALTH_CHECK_INTERVAL")
	_, err := vitals.ConfigFromEnv()
	fmt.Println(err)
	// Output: PLUGIN_HEALTH_CHECK_INTERVAL: got "soon", want a number of seconds or a duration such as 1m30s
}
