package otelvitals

import (
	"errors"
	"sync"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/servicer"
)

// Producer exports histograms: an *otelproducer.Producer, which links the SDK.
type Producer interface {
	// Attach sets the sources; it fails if there are some.
	Attach(source servicer.ReportSource, recorder *interceptor.Recorder) error
	// Detach removes them.
	Detach()
}

// Config configures an Exporter. OpenTelemetry's global providers are not used.
type Config struct {
	// Source and Recorder are exported. At least one of them is required.
	Source   servicer.ReportSource
	Recorder *interceptor.Recorder

	// MeterProvider receives the metrics. Nil: none.
	MeterProvider metric.MeterProvider
	// TracerProvider receives a span of each transition; see Exporter.Run. Nil: none. It requires Source. For a span of
	// each run of a check see CheckSpans.
	TracerProvider trace.TracerProvider
	// Producer is attached to Source and Recorder. Give the same one to the reader of MeterProvider. Nil: none.
	Producer Producer
}

func (c *Config) validate() error {
	var errs []error
	if c.Source == nil && c.Recorder == nil {
		errs = append(errs, errors.New("otelvitals: Source or Recorder is required"))
	}
	if c.MeterProvider == nil && c.TracerProvider == nil && c.Producer == nil {
		errs = append(errs, errors.New("otelvitals: MeterProvider, TracerProvider or Producer is required"))
	}
	if c.TracerProvider != nil && c.Source == nil {
		errs = append(errs, errors.New("otelvitals: TracerProvider: Source is required"))
	}
	return errors.Join(errs...)
}

// Exporter exports snapshots to OpenTelemetry. It is safe for concurrent use.
type Exporter struct {
	cfg      Config
	provider *provider // nil without MeterProvider
	closing  sync.Once
}

// New returns an Exporter, or an error that joins all mistakes in cfg. A MeterProvider has one Exporter at a time: another
// one is an error until Close. New starts no goroutine.
func New(cfg Config) (*Exporter, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	e := &Exporter{cfg: cfg}
	if cfg.Producer != nil {
		if err := cfg.Producer.Attach(cfg.Source, cfg.Recorder); err != nil {
			return nil, err
		}
	}
	if err := e.export(); err != nil {
		if cfg.Producer != nil {
			cfg.Producer.Detach()
		}
		return nil, err
	}
	return e, nil
}

func (e *Exporter) export() error {
	if e.cfg.MeterProvider == nil {
		return nil
	}
	p, err := providerOf(e.cfg.MeterProvider)
	if err != nil {
		return err
	}
	e.provider = p
	return p.attach(e)
}

// Close counts what has happened since the last collection, ends the other series, and detaches the Producer; further calls
// do nothing. It returns nil. Close after the provider's last flush, which exports the final state. A later Exporter on the
// same MeterProvider continues the counters, whether its sources are the same or begin at zero.
func (e *Exporter) Close() error {
	e.closing.Do(func() {
		if e.provider != nil {
			e.provider.detach(e)
		}
		if e.cfg.Producer != nil {
			e.cfg.Producer.Detach()
		}
	})
	return nil
}
