package otelproducer_test

import (
	"context"
	"fmt"
	"testing"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/grpc/codes"

	otelvitals "github.com/vitals-go/vitals/otel"
	"github.com/vitals-go/vitals/otel/otelproducer"
)

// What a collection costs, with calls of each method ending in two ways.
func BenchmarkCollect(b *testing.B) {
	for _, methods := range []int{10, 1000} {
		recorder := newRecorder(b)
		for i := range methods {
			post(recorder, false, fmt.Sprint("M", i), codes.OK, 0)
			post(recorder, false, fmt.Sprint("M", i), codes.Internal, 0)
		}
		for name, cfg := range map[string]otelproducer.Config{"explicit": {}, "exponential": {Exponential: true}} {
			b.Run(fmt.Sprintf("%s/methods=%d", name, methods), func(b *testing.B) { collectAll(b, attach(b, cfg, recorder)) })
		}
		b.Run(fmt.Sprintf("instruments/methods=%d", methods), func(b *testing.B) {
			reader := sdkmetric.NewManualReader()
			provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
			if _, err := otelvitals.New(otelvitals.Config{Recorder: recorder, MeterProvider: provider}); err != nil {
				b.Fatal(err)
			}
			collectAll(b, reader)
		})
	}
}

func collectAll(b *testing.B, reader sdkmetric.Reader) {
	var all metricdata.ResourceMetrics
	b.ReportAllocs()
	for b.Loop() {
		if err := reader.Collect(context.Background(), &all); err != nil {
			b.Fatal(err)
		}
	}
}
