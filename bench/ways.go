package main

import (
	"context"
	"sync/atomic"
	"time"

	promprovider "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"github.com/sony/gobreaker/v2"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/stats/opentelemetry"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/grpcbreaker"
)

const (
	nameNothing      = "an interceptor that does nothing"
	nameRecorder     = "vitals, the recorder alone"
	nameWhole        = "vitals, all of ServerOptions"
	nameStack        = "go-grpc-middleware Prometheus and recovery"
	nameFloor        = "two clock readings, three additions and recover"
	nameNothingStats = "a stats handler that does nothing"
	nameOtel         = "otelgrpc"
	nameA66          = "grpc-go's stats/opentelemetry"
)

// serverWays are the ways in which a server may record its calls.
func serverWays() []way {
	health, err := vitals.New(vitals.Config{})
	if err != nil {
		panic(err)
	}
	prom := promprovider.NewServerMetrics(promprovider.WithServerHandlingTimeHistogram())
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	server := func(o ...grpc.ServerOption) options { return options{server: o} }
	return []way{
		{nameNothing, server(grpc.ChainUnaryInterceptor(noInterceptor))},
		{nameFloor, server(grpc.ChainUnaryInterceptor(floorInterceptor()))},
		{nameRecorder, server(grpc.ChainUnaryInterceptor(newRecorder(1).UnaryServerInterceptor))},
		{nameWhole, server(health.ServerOptions()...)},
		{nameNothingStats, server(grpc.StatsHandler(noStats{}))},
		{namePrometheus, server(grpc.ChainUnaryInterceptor(prom.UnaryServerInterceptor()))},
		{nameStack, server(grpc.ChainUnaryInterceptor(prom.UnaryServerInterceptor(), recovery.UnaryServerInterceptor()))},
		{nameA66, server(opentelemetry.ServerOption(opentelemetry.Options{MetricsOptions: opentelemetry.MetricsOptions{MeterProvider: meters}}))},
		{nameOtel, server(grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithMeterProvider(meters), otelgrpc.WithTracerProvider(noop.NewTracerProvider()))))},
	}
}

// clientWays are the ways in which a client may record and protect its calls.
func clientWays() []way {
	b, err := breaker.New(breaker.Config{Name: "bench"})
	if err != nil {
		panic(err)
	}
	guard, err := grpcbreaker.New(grpcbreaker.Config{Breaker: b})
	if err != nil {
		panic(err)
	}
	prom := promprovider.NewClientMetrics(promprovider.WithClientHandlingTimeHistogram())
	client := func(interceptors ...grpc.UnaryClientInterceptor) options {
		return options{client: []grpc.DialOption{grpc.WithChainUnaryInterceptor(interceptors...)}}
	}
	return []way{
		{nameGobreaker, client(gobreakerInterceptor())},
		{nameVitals, options{client: append(newRecorder(1).DialOptions(), guard.DialOptions()...)}},
		{namePrometheus, client(prom.UnaryClientInterceptor(), gobreakerInterceptor())},
	}
}

// floorInterceptor is the least that an interceptor does which counts calls, times them and ends panics.
func floorInterceptor() grpc.UnaryServerInterceptor {
	base := time.Now()
	var started, handled, sum atomic.Int64
	return func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (out any, err error) {
		defer func() {
			if p := recover(); p != nil {
				err = status.Error(codes.Internal, "internal error")
			}
		}()
		start := time.Since(base)
		started.Add(1)
		out, err = handler(ctx, in)
		sum.Add(int64(time.Since(base) - start))
		handled.Add(1)
		return out, err
	}
}

// gobreakerInterceptor is what a user of gobreaker writes.
func gobreakerInterceptor() grpc.UnaryClientInterceptor {
	b := gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{Interval: 30 * time.Second, BucketPeriod: 3 * time.Second})
	return func(ctx context.Context, method string, in, out any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		_, err := b.Execute(func() (struct{}, error) { return struct{}{}, invoke(ctx, method, in, out, conn, opts...) })
		return err
	}
}

func noInterceptor(ctx context.Context, in any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	return handler(ctx, in)
}

// noStats is the least that a stats.Handler can be.
type noStats struct{}

func (noStats) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (noStats) HandleRPC(context.Context, stats.RPCStats)                         {}
func (noStats) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (noStats) HandleConn(context.Context, stats.ConnStats)                       {}
