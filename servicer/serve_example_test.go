package servicer_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/servicer"
)

func ExampleServer_Serve() {
	health, err := servicer.New(servicer.Config{DrainDelay: 10 * time.Millisecond})
	if err != nil {
		fmt.Println(err)
		return
	}
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	server := grpc.NewServer()
	health.Register(server)

	// In a program: signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM).
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	fmt.Println(health.Serve(ctx, server, lis))
	fmt.Println(health.Phase())
	// Output:
	// <nil>
	// stopped
}

// The reports of a server as they change.
func ExampleChanges() {
	health, err := servicer.New(servicer.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for report := range servicer.Changes(context.Background(), health) {
		fmt.Println(report.Phase, report.Overall)
		break
	}
	// Output: ready healthy
}
