package main

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"time"

	promprovider "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/test/bufconn"
)

type echo struct {
	testpb.UnimplementedTestServiceServer
}

func (echo) UnaryCall(_ context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	return &testpb.SimpleResponse{Payload: in.GetPayload()}, nil
}

// rival is one way to watch the calls of a real server.
type rival struct {
	name  string
	call  func()
	close func()
}

func newRival(name string, options ...grpc.ServerOption) rival {
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(options...)
	testpb.RegisterTestServiceServer(server, echo{})
	go func() { _ = server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///bufconn", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		panic(err)
	}
	client := testpb.NewTestServiceClient(conn)
	request := &testpb.SimpleRequest{Payload: &testpb.Payload{Body: make([]byte, 64)}}
	return rival{name: name, call: func() {
		if _, err := client.UnaryCall(context.Background(), request); err != nil {
			panic(err)
		}
	}, close: func() { conn.Close(); server.Stop() }}
}

func measureEndToEnd(p plan) []goal {
	recorder := newRecorder(1)
	prom := promprovider.NewServerMetrics(promprovider.WithServerHandlingTimeHistogram())
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	plain := newRival("no interceptor")
	nothing := func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		return handler(ctx, in)
	}
	rivals := []rival{
		newRival("no-op", grpc.ChainUnaryInterceptor(nothing)),
		newRival("vitals", grpc.ChainUnaryInterceptor(recorder.UnaryServer)),
		newRival("prom", grpc.ChainUnaryInterceptor(prom.UnaryServerInterceptor())),
		newRival("otelgrpc", grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithMeterProvider(meters), otelgrpc.WithTracerProvider(noop.NewTracerProvider())))),
	}
	defer plain.close()
	for _, r := range rivals {
		defer r.close()
	}
	added, total := paired(p, plain, rivals)
	noop, vitals, promAdded, otel := added[0], max(added[1], 1), added[2], added[3]
	return []goal{
		{id: "P2", what: "percent of a unary echo, beyond an interceptor that does nothing", measured: 100 * max(vitals-noop, 0) / total, limit: 1, figures: ns(vitals) + " − " + ns(noop) + " of " + ns(total)},
		{id: "P2", what: "cheaper than otelgrpc metrics, end to end", measured: otel / vitals, limit: 20, atLeast: true, figures: ns(otel) + " / " + ns(vitals)},
		{id: "P2", what: "cheaper than the Prometheus interceptor, end to end", measured: promAdded / vitals, limit: 4, atLeast: true, figures: ns(promAdded) + " / " + ns(vitals)},
	}
}

// paired returns what each rival adds to a call of plain, and the whole call's time, on one core: medians over blocks
// that lie side by side, in an order that turns.
func paired(p plan, plain rival, rivals []rival) (added []float64, total float64) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const calls = 300
	differences := make([]sample, len(rivals))
	var totals sample
	for block := range p.rounds * 100 {
		i := block % len(rivals)
		order := []rival{plain, rivals[i]}
		if block/len(rivals)%2 == 1 {
			order[0], order[1] = order[1], order[0]
		}
		took := map[string]float64{}
		for _, r := range order {
			start := time.Now()
			for range calls {
				r.call()
			}
			took[r.name] = float64(time.Since(start).Nanoseconds()) / calls
		}
		differences[i] = append(differences[i], took[rivals[i].name]-took[plain.name])
		totals = append(totals, took[plain.name])
		if block%100 == 99 {
			fmt.Fprint(progress, ".")
		}
	}
	fmt.Fprintln(progress)
	for _, d := range differences {
		added = append(added, d.median())
	}
	return added, totals.median()
}
