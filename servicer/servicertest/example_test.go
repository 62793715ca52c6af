package servicertest_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/servicertest"
)

// The health server of grpc-go follows the protocol, but its Shutdown does not notify watches of unknown names, and
// GracefulStop waits for open watches without limit.
func ExampleCheck() {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	server, theirs := grpc.NewServer(), health.NewServer()
	healthpb.RegisterHealthServer(server, theirs)
	go server.Serve(lis)
	conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()

	result, err := servicertest.Check(context.Background(), servicertest.Target{
		Conn: conn,
		Drain: func() {
			theirs.Shutdown()
			server.GracefulStop()
		},
		Timeout: time.Second, ObserveFor: -1,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, id := range result.Failed() {
		fmt.Println(id)
	}
	// Output:
	// drain.unknown
	// drain.ends
}

// In a test, pass the *testing.T instead of printer.
func ExampleRun() {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	mine, err := servicer.New(servicer.Config{Services: []string{"shop.v1.Orders"}, DrainDelay: 100 * time.Millisecond})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := grpc.NewServer()
	mine.Register(server)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	served := make(chan error, 1)
	go func() { served <- mine.Serve(ctx, server, lis) }()
	conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()

	servicertest.Run(printer{}, servicertest.Target{
		Conn:  conn,
		Names: []string{"shop.v1.Orders"},
		Drain: func() { stop(); fmt.Println("Serve returned", <-served) },
	})
	// Output:
	// Serve returned <nil>
}

// printer prints errors.
type printer struct{}

func (printer) Helper()                        {}
func (printer) Context() context.Context       { return context.Background() }
func (printer) Errorf(format string, a ...any) { fmt.Printf(format+"\n", a...) }
func (printer) Fatalf(format string, a ...any) { fmt.Printf(format+"\n", a...) }
func (printer) Logf(string, ...any)            {}

// Every rule has a source.
func ExampleRules() {
	for _, rule := range servicertest.Rules()[:1] {
		fmt.Println(rule.ID != "", rule.Source != "")
	}
	// Output: true true
}

func ExampleCommand() {
	probe := servicertest.Command("go", "version")
	fmt.Println(probe(context.Background()))
	// Output: 0
}
