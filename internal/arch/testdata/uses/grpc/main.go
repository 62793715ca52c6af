// Program grpc is a server of gRPC alone, to compare with.
package main

import (
	"net"

	"google.golang.org/grpc"
)

func main() {
	lis, err := net.Listen("tcp", ":0")
	if err != nil {
		panic(err)
	}
	_ = grpc.NewServer().Serve(lis)
}
