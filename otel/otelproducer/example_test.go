package otelproducer_test

import (
	"context"
	"fmt"
	"log/slog"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/grpc"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/otel/otelproducer"
)

// A reader needs its producers when it is created, and vitals.New needs the provider of the reader: the Producer comes
// first, and vitals.New attaches it.
func ExampleNew() {
	producer := otelproducer.New(otelproducer.Config{})
	reader := sdkmetric.NewManualReader(sdkmetric.WithProducer(producer)) // in a program: NewPeriodicReader(exporter, …)
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))

	health, err := vitals.New(vitals.Config{
		MeterProvider:  provider,
		MetricProducer: producer,
		Logger:         slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	// A call; the interceptors of health.ServerOptions record it.
	_, _ = health.Recorder().UnaryServerInterceptor(context.Background(), nil, &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Place"},
		func(context.Context, any) (any, error) { return nil, nil })

	var collected metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &collected); err != nil {
		fmt.Println(err)
		return
	}
	for _, scope := range collected.ScopeMetrics {
		for _, m := range scope.Metrics {
			if h, ok := m.Data.(metricdata.Histogram[float64]); ok && m.Name == "rpc.server.call.duration" {
				method, _ := h.DataPoints[0].Attributes.Value("rpc.method")
				code, _ := h.DataPoints[0].Attributes.Value("rpc.status_code")
				fmt.Println(m.Name, method.AsString(), code.AsString(), h.DataPoints[0].Count)
			}
		}
	}
	// Output: rpc.server.call.duration shop.v1.Orders/Place OK 1
}
