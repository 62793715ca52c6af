package shapes_test

import (
	"context"
	"testing"

	"github.com/go-kratos/kratos/v2"
	"github.com/go-kratos/kratos/v2/middleware"
	"github.com/go-kratos/kratos/v2/transport"
	kgrpc "github.com/go-kratos/kratos/v2/transport/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/e2e/shapes"
)

// requireToken rejects every call without a token, health checks too.
func requireToken(next middleware.Handler) middleware.Handler {
	return func(ctx context.Context, request any) (any, error) {
		if call, _ := transport.FromServerContext(ctx); call.RequestHeader().Get("authorization") != shapes.Token {
			return nil, status.Error(codes.Unauthenticated, "no token")
		}
		return next(ctx, request)
	}
}

// onKratos serves f with kratos, whose middleware runs before all other interceptors.
func onKratos(t *testing.T, f *shapes.Fixture) shapes.Served {
	health, orders, lis := f.Health, f.Service, shapes.Listen(t)
	running, stop := context.WithCancel(t.Context())
	server := kgrpc.NewServer(
		kgrpc.Listener(lis),
		kgrpc.Middleware(requireToken),
		kgrpc.Options(health.FirstServerOptions()...), // before kratos' interceptors
	)
	shop.RegisterOrdersServer(server, orders)
	health.Register(server)
	drained := make(chan error, 1)
	go func() { drained <- health.Run(running) }()
	app := kratos.New(
		kratos.Server(server),
		kratos.BeforeStop(func(context.Context) error {
			stop()
			return <-drained
		}),
	)
	ended := make(chan error, 1)
	go func() { ended <- app.Run() }()
	return shapes.Served{Target: lis.Addr().String(), Stop: func() error {
		if err := app.Stop(); err != nil {
			return err
		}
		return <-ended
	}}
}

func TestKratos(t *testing.T) { shapes.Test(t, shapes.Shape{Name: "kratos", Serve: onKratos}) }
