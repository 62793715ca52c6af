package vitals_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

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

	for report := range health.Servicer.Reports(ctx) {
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
