package main

import (
	"context"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
)

// serve starts a server without a network and returns a connection to it. hangUp ends both.
func serve(register func(*grpc.Server), options ...grpc.ServerOption) (conn *grpc.ClientConn, hangUp func()) {
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(options...)
	register(server)
	go func() { _ = server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///bufconn", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		panic(err)
	}
	return conn, func() { conn.Close(); server.Stop() }
}
