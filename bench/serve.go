package main

import (
	"context"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
)

// options are those of a server and of its client.
type options struct {
	server []grpc.ServerOption
	client []grpc.DialOption
}

// serve starts a server without a network and returns a connection to it. closeAll ends both.
func serve(register func(*grpc.Server), o options) (conn *grpc.ClientConn, closeAll func()) {
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(o.server...)
	register(server)
	go func() { _ = server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///bufconn", append(o.client, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))...)
	if err != nil {
		panic(err)
	}
	return conn, func() { conn.Close(); server.Stop() }
}
