package main

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // So that clients, probes among them, may compress.
	"google.golang.org/grpc/interop"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/examples/inventory"
	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
)

// newServer returns a gRPC server with limits: on the size of a message, on the streams of a connection, on pings. A
// peer that has vanished without a word is noticed within a minute and a half.
func newServer(cfg config, health *vitals.Health, export telemetry, items *inventory.Service) *grpc.Server {
	options := append(append(health.ServerOptions(), export.serverOptions()...),
		grpc.MaxRecvMsgSize(1<<20),
		grpc.MaxConcurrentStreams(1000),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
	)
	if cfg.tls != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(cfg.tls)))
	}
	server := grpc.NewServer(options...)
	inventoryv1.RegisterInventoryServer(server, items)
	if cfg.testService {
		testpb.RegisterTestServiceServer(server, interop.NewTestServer())
	}
	reflection.Register(server)
	return server
}
