// Connect is an inventory service with connect-go, for gRPC, gRPC-Web and Connect clients, with the health of vitals.
//
//	go run ./examples/connect
//
// An http.Server serves everything at one address: the service, grpc.health.v1 by connectrpc.com/grpchealth, and the
// endpoints of vitals.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"connectrpc.com/connect"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/examples/connect/connectvitals"
	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
	"github.com/vitals-go/vitals/servicer"
)

const inventory = "inventory.v1.Inventory"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	cfg, err := vitals.ConfigFromEnv()
	if err != nil {
		return err
	}
	cfg.HTTPAddr = "" // the endpoints are on the http.Server
	cfg.Server = servicer.Config{Services: []string{inventory}}
	health, err := vitals.New(cfg)
	if err != nil {
		return err
	}
	lis, err := new(net.ListenConfig).Listen(ctx, "tcp", "localhost:8080")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "serving at", lis.Addr())
	return serve(ctx, health, lis)
}

// serve serves until ctx is done, the drain is over and the calls in flight have ended.
func serve(ctx context.Context, health *vitals.Health, lis net.Listener) error {
	health.Recorder().RegisterOperations(inventory, "Get")
	server := &http.Server{Handler: newHandler(health), Protocols: new(http.Protocols), ReadHeaderTimeout: 10 * time.Second}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true) // for gRPC clients without TLS
	ctx, fail := context.WithCancel(ctx)
	defer fail()
	served := make(chan error, 1)
	go func() {
		defer fail()
		served <- server.Serve(lis)
	}()
	ran := health.Run(ctx)                                                   // until the drain delay is over and watches have ended
	end, cancel := context.WithTimeout(context.Background(), 20*time.Second) // for the calls in flight
	defer cancel()
	stopped := server.Shutdown(end)
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		stopped = errors.Join(stopped, err)
	}
	return errors.Join(ran, stopped)
}

func newHandler(health *vitals.Health) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/"+inventory+"/Get", connect.NewUnaryHandler("/"+inventory+"/Get", get,
		connectvitals.Options(health.Recorder(), slog.Default())))
	mux.Handle(connectvitals.NewHandler(health.Server()))
	mux.Handle("/", health.Handler())
	return mux
}

func get(_ context.Context, request *connect.Request[inventoryv1.GetRequest]) (*connect.Response[inventoryv1.GetResponse], error) {
	if request.Msg.Sku == "" {
		return nil, connect.NewError(connect.CodeInvalidArgument, errors.New("sku is empty"))
	}
	return connect.NewResponse(&inventoryv1.GetResponse{Item: &inventoryv1.Item{Sku: request.Msg.Sku, Quantity: 1}}), nil
}
