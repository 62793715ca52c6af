package otelvitals

import (
	"context"
	"errors"
	"iter"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/servicer"
)

// Health is whose verdict is exported: a *servicer.Server.
type Health interface {
	Report() *servicer.Report
	Reports(ctx context.Context) iter.Seq[*servicer.Report]
}

// Producer tells what only the SDK can take: ready-made histograms. It is an *otelproducer.Producer, in a package of its
// own, so that a program without histograms does not link the SDK.
type Producer interface {
	// Attach gives the Producer its sources, once.
	Attach(health Health, recorder *interceptor.Recorder) error
}

// Config says what an Exporter exports and to whom. Nothing is taken from OpenTelemetry's globals.
type Config struct {
	// Health and Recorder are what is exported. At least one of them is required.
	Health   Health
	Recorder *interceptor.Recorder

	// MeterProvider takes the metrics. Nil: none.
	MeterProvider metric.MeterProvider
	// TracerProvider takes a span for each transition; see Exporter.Run. Nil: none. It needs Health. For a span of each
	// run of a check see CheckSpans.
	TracerProvider trace.TracerProvider
	// Producer is attached to Health and Recorder. Give the same one to the reader of MeterProvider. Nil: none.
	Producer Producer
}

func (c *Config) validate() error {
	var errs []error
	if c.Health == nil && c.Recorder == nil {
		errs = append(errs, errors.New("otelvitals: Config needs Health, Recorder or both"))
	}
	if c.MeterProvider == nil && c.TracerProvider == nil && c.Producer == nil {
		errs = append(errs, errors.New("otelvitals: Config needs MeterProvider, TracerProvider, Producer or several of them"))
	}
	if c.TracerProvider != nil && c.Health == nil {
		errs = append(errs, errors.New("otelvitals: TracerProvider needs Health: only its transitions become spans"))
	}
	return errors.Join(errs...)
}
