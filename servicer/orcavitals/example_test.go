package orcavitals_test

import (
	"context"
	"fmt"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/servicer/orcavitals"
)

// A server without package vitals.
func ExampleNew() {
	recorder, err := interceptor.New(interceptor.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	reporter, err := orcavitals.New(orcavitals.Config{Recorder: recorder})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := grpc.NewServer(append(reporter.ServerOptions(), recorder.ServerOptions()...)...)
	reporter.Register(server) // for clients with enableOobLoadReport
	recorder.Register(server)

	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- reporter.Run(ctx) }()
	// … server.Serve(lis); at the end reporter.EndStreams(), then server.GracefulStop()
	stop()
	fmt.Println(<-ended)
	_, found := server.GetServiceInfo()[orcavitals.ServiceName]
	fmt.Println(found)
	// Output:
	// <nil>
	// true
}
