package otelvitals_test

import (
	"context"
	"errors"
	"fmt"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/vitals-go/vitals/checker"
	otelvitals "github.com/vitals-go/vitals/otel"
	"github.com/vitals-go/vitals/servicer"
)

// A health without checks, exported to a reader. In a program the reader is a PeriodicReader with an OTLP exporter, and
// vitals.Config.MeterProvider does all of this.
func ExampleNew() {
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	health, err := servicer.New(servicer.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	exporter, err := otelvitals.New(otelvitals.Config{Source: health, MeterProvider: provider})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer exporter.Close()

	var collected metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &collected); err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range collected.ScopeMetrics[0].Metrics {
		if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == "vitals.status" {
			for _, point := range sum.DataPoints {
				if status, _ := point.Attributes.Value("vitals.status"); point.Value == 1 {
					fmt.Println(m.Name, status.AsString())
				}
			}
		}
	}
	// Output: vitals.status healthy
}

// A checker whose runs become spans; vitals.Config.TracerProvider does the same.
func ExampleCheckSpans() {
	ended := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(ended))
	checks, err := checker.New(checker.Config{
		Wrap:   otelvitals.CheckSpans(provider, servicer.Details{}),
		Checks: []checker.Check{{Name: "database", Run: func(context.Context) error { return errors.New("refused") }}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- checks.Run(ctx) }()
	if _, err := checks.Refresh(ctx); err != nil {
		fmt.Println(err)
	}
	stop()
	<-done

	span := ended.Ended()[0]
	fmt.Println(span.Name(), span.Status().Code, span.Status().Description)
	for _, attribute := range span.Attributes() {
		fmt.Println(attribute.Key, attribute.Value.AsString())
	}
	// Output:
	// health.check Error error
	// vitals.check.name database
	// vitals.reason error
}
