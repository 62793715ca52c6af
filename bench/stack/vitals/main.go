// Program vitals is a gRPC server without services of its own and everything that package vitals gives it: interceptors,
// health, checks of resources and dependencies, HTTP endpoints and /metrics.
package main

import (
	"context"
	"fmt"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/bench/internal/child"
	"github.com/vitals-go/vitals/checker"
)

func main() {
	flags := child.Parse()
	cfg := vitals.Config{HTTPAddr: "127.0.0.1:0", Prometheus: true}
	for i := range flags.Checks {
		cfg.Dependencies = append(cfg.Dependencies, checker.Check{
			Name: fmt.Sprint("dependency", i), Run: func(context.Context) error { return nil },
		})
	}
	health, err := vitals.New(cfg)
	if err != nil {
		panic(err)
	}
	health.Recorder().Register(methods(flags.Methods))
	lis := child.Listen()
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		flags.Report(lis.Addr().String())
	}()
	_ = health.Serve(ctx, grpc.NewServer(health.ServerOptions()...), lis)
}

// methods is the service of a server with that many methods.
type methods int

func (n methods) GetServiceInfo() map[string]grpc.ServiceInfo {
	info := grpc.ServiceInfo{}
	for i := range int(n) {
		info.Methods = append(info.Methods, grpc.MethodInfo{Name: fmt.Sprint("Method", i)})
	}
	return map[string]grpc.ServiceInfo{"shop.v1.Orders": info}
}
