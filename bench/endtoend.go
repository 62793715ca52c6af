package main

import (
	"context"

	promprovider "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/stats"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
)

// measureEndToEnd measures what each way to watch calls adds to a call of a real server.
func measureEndToEnd(p measure.Plan) (found findings) {
	prom := promprovider.NewServerMetrics(promprovider.WithServerHandlingTimeHistogram())
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	ways := []struct {
		name   string
		option grpc.ServerOption
	}{
		{"an interceptor that does nothing", grpc.ChainUnaryInterceptor(noInterceptor)},
		{nameVitals, grpc.ChainUnaryInterceptor(newRecorder(1).UnaryServerInterceptor)},
		{"a stats handler that does nothing", grpc.StatsHandler(noStats{})},
		{namePrometheus, grpc.ChainUnaryInterceptor(prom.UnaryServerInterceptor())},
		{"otelgrpc", grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithMeterProvider(meters), otelgrpc.WithTracerProvider(noop.NewTracerProvider())))},
	}
	plain, hangUp := echoCall()
	defer hangUp()
	calls := make([]func(), len(ways))
	for i, way := range ways {
		var hangUp func()
		calls[i], hangUp = echoCall(way.option)
		defer hangUp()
	}
	// A difference this small takes many pairs; few of them only show that the comparison runs.
	added, totals := measure.Paired(p, 4*p.Rounds*p.Rounds, plain, calls...)
	figure := result.Figure{
		Name: "interceptor", Title: "What watching a call adds to it",
		Note: "Nanoseconds that each adds to a unary echo of 64 bytes over an in-memory connection, client and server on one core. Prometheus with histogram, otelgrpc with metrics alone.",
	}
	for i, way := range ways {
		figure.Bars = append(figure.Bars, result.Bar{Name: way.name, Value: max(added[i].Median(), 0)})
	}
	found.figures = []result.Figure{figure}
	found.goals = endToEndGoals(added[0].Median(), max(added[1].Median(), 1), added[3].Median(), added[4].Median(), totals.Median())
	found.facts = map[string]float64{"echo_ns": totals.Median()}
	return found
}

func endToEndGoals(nothing, vitals, prom, otel, total float64) []result.Goal {
	return []result.Goal{
		{
			ID: "P2", What: "percent of a unary echo, beyond an interceptor that does nothing", Measured: 100 * max(vitals-nothing, 0) / total, Limit: 1,
			Figures: result.Nanoseconds(vitals) + " − " + result.Nanoseconds(nothing) + " of " + result.Nanoseconds(total),
		},
		atLeast(20, "P2", "cheaper than otelgrpc metrics, end to end", otel, vitals),
		atLeast(4, "P2", "cheaper than the Prometheus interceptor, end to end", prom, vitals),
	}
}

type echo struct {
	testpb.UnimplementedTestServiceServer
}

func (echo) UnaryCall(_ context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	return &testpb.SimpleResponse{Payload: in.GetPayload()}, nil
}

// echoCall returns a call of 64 bytes to a server with options.
func echoCall(options ...grpc.ServerOption) (call, hangUp func()) {
	conn, hangUp := serve(func(server *grpc.Server) { testpb.RegisterTestServiceServer(server, echo{}) }, options...)
	client := testpb.NewTestServiceClient(conn)
	request := &testpb.SimpleRequest{Payload: &testpb.Payload{Body: make([]byte, 64)}}
	return func() {
		if _, err := client.UnaryCall(context.Background(), request); err != nil {
			panic(err)
		}
	}, hangUp
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
