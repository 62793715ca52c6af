package otelvitals

import (
	"context"
	"errors"
	"sync"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/otel/internal/semconv"
	"github.com/vitals-go/vitals/servicer"
)

// Producer exports histograms: an *otelproducer.Producer, which links the SDK.
type Producer interface {
	// Attach sets the sources, once.
	Attach(source servicer.ReportSource, recorder *interceptor.Recorder) error
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
	cfg            Config
	health         *healthInstruments // nil without Source or MeterProvider
	server, client *callInstruments   // nil without Recorder or MeterProvider
	unregister     func() error
	closing        sync.Once
}

// New returns an Exporter, or an error that joins all mistakes in cfg. It registers one callback with the MeterProvider,
// which Close unregisters, and starts no goroutine.
func New(cfg Config) (*Exporter, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	e := &Exporter{cfg: cfg, unregister: func() error { return nil }}
	if cfg.MeterProvider != nil {
		if err := e.register(cfg.MeterProvider.Meter(semconv.Scope)); err != nil {
			return nil, err
		}
	}
	if cfg.Producer != nil {
		if err := cfg.Producer.Attach(cfg.Source, cfg.Recorder); err != nil {
			return nil, errors.Join(err, e.Close())
		}
	}
	return e, nil
}

// register creates all instruments, and one callback so that their values are of one time.
func (e *Exporter) register(meter metric.Meter) error {
	b := &builder{meter: meter}
	if e.cfg.Source != nil {
		e.health = newHealthInstruments(b)
	}
	if e.cfg.Recorder != nil {
		e.server = newCallInstruments(b, semconv.Server, "vitals.rpc.server.", "on the server")
		e.server.panics = b.counter("vitals.rpc.server.panics", "{call}", "RPCs whose handler panicked.")
		e.client = newCallInstruments(b, semconv.Client, "vitals.rpc.client.", "by the client")
	}
	if err := errors.Join(b.errs...); err != nil {
		return err
	}
	registration, err := meter.RegisterCallback(e.observe, b.instruments...)
	if err != nil {
		return err
	}
	e.unregister = registration.Unregister
	return nil
}

func (e *Exporter) observe(_ context.Context, o metric.Observer) error {
	if e.health != nil {
		e.health.observe(o, e.cfg.Source.Report())
	}
	if e.server != nil {
		e.server.observe(o, e.cfg.Recorder.ServerTotals())
		e.client.observe(o, e.cfg.Recorder.ClientTotals())
	}
	return nil
}

// Close unregisters the callback; further calls do nothing. Close after the provider's last flush: what happened since the
// one before is lost otherwise. A Producer ends with its reader.
func (e *Exporter) Close() (err error) {
	e.closing.Do(func() { err = e.unregister() })
	return err
}
