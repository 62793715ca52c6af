// Program interceptor records the calls of a server.
package main

import (
	"net"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/interceptor"
)

func main() {
	recorder, err := interceptor.New(interceptor.Config{})
	if err != nil {
		panic(err)
	}
	lis, err := net.Listen("tcp", ":0")
	if err != nil {
		panic(err)
	}
	_ = grpc.NewServer(recorder.ServerOptions()...).Serve(lis)
	println(recorder.Server().Total.Started)
}
