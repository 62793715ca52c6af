package gozero_test

import (
	"context"
	"testing"

	"github.com/zeromicro/go-zero/core/logx"
	"github.com/zeromicro/go-zero/core/proc"
	"github.com/zeromicro/go-zero/core/service"
	"github.com/zeromicro/go-zero/zrpc"
	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/e2e/shapes"
)

// shop stands for the generated code of an application.
var shop generated

type generated struct{}

func (generated) RegisterOrdersServer(server grpc.ServiceRegistrar, service testpb.TestServiceServer) {
	testpb.RegisterTestServiceServer(server, service)
}

// onGoZero serves f with go-zero, which registers a health service of its own after the application's services.
func onGoZero(t *testing.T, f *shapes.Fixture) shapes.Served {
	health, orders, logger, lis := f.Health, f.Service, f.Logger, shapes.Listen(t)
	addr := lis.Addr().String()
	lis.Close() // go-zero listens itself
	running, stop := context.WithCancel(t.Context())
	conf := zrpc.RpcServerConf{
		ServiceConf: service.ServiceConf{Name: "orders", Mode: service.TestMode, Log: logx.LogConf{Level: "severe"}},
		ListenOn:    addr, Timeout: 2000, CpuThreshold: 900, Health: true,
		Middlewares: zrpc.ServerMiddlewaresConf{Trace: true, Stat: true, Prometheus: true, Breaker: true},
	}
	server, err := zrpc.NewServer(conf, func(s *grpc.Server) {
		shop.RegisterOrdersServer(s, orders)
		health.RegisterWithoutHealth(s) // go-zero registers a health service afterwards
	})
	if err != nil {
		t.Fatal(err)
	}
	server.AddOptions(health.ServerOptions()...)
	panics := interceptor.NewRecovery(logger) // instead of go-zero's: Middlewares.Recover is false
	server.AddUnaryInterceptors(panics.UnaryServerInterceptor)
	server.AddStreamInterceptors(panics.StreamServerInterceptor)
	drained := make(chan error, 1)
	go func() { drained <- health.Run(running) }()
	proc.AddWrapUpListener(func() {
		stop()
		logx.Must(<-drained)
	})
	started := make(chan struct{})
	go func() {
		defer close(started)
		server.Start()
	}()
	return shapes.Served{Target: addr, Stop: func() error {
		proc.WrapUp()
		proc.Shutdown()
		<-started
		return nil
	}}
}

func TestGoZero(t *testing.T) {
	shapes.Test(t, shapes.Shape{Name: "go-zero", Serve: onGoZero})
}
