package otelvitals

import (
	"errors"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/servicer"
)

// Producer tells what only the SDK can take: ready-made histograms. It is an *otelproducer.Producer, in a package of its
// own, so that a program without histograms does not link the SDK.
type Producer interface {
	// Attach gives the Producer its sources, once.
	Attach(source servicer.ReportSource, recorder *interceptor.Recorder) error
}

// Config says what an Exporter exports and to whom. Nothing is taken from OpenTelemetry's globals.
type Config struct {
	// Source and Recorder are what is exported. At least one of them is required.
	Source   servicer.ReportSource
	Recorder *interceptor.Recorder

	// MeterProvider takes the metrics. Nil: none.
	MeterProvider metric.MeterProvider
	// TracerProvider takes a span for each transition; see Exporter.Run. Nil: none. It needs Source. For a span of each
	// run of a check see CheckSpans.
	TracerProvider trace.TracerProvider
	// Producer is attached to Source and Recorder. Give the same one to the reader of MeterProvider. Nil: none.
	Producer Producer
}

func (c *Config) validate() error {
	var errs []error
	if c.Source == nil && c.Recorder == nil {
		errs = append(errs, errors.New("otelvitals: Config needs Source, Recorder or both"))
	}
	if c.MeterProvider == nil && c.TracerProvider == nil && c.Producer == nil {
		errs = append(errs, errors.New("otelvitals: Config needs MeterProvider, TracerProvider, Producer or several of them"))
	}
	if c.TracerProvider != nil && c.Source == nil {
		errs = append(errs, errors.New("otelvitals: TracerProvider needs Source: only its transitions become spans"))
	}
	return errors.Join(errs...)
}
