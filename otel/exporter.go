package otelvitals

import (
	"context"
	"errors"
	"sync"

	"go.opentelemetry.io/otel/metric"

	"github.com/vitals-go/vitals/otel/internal/semconv"
)

// Exporter exports snapshots to OpenTelemetry. Create it with New. All methods may be called concurrently.
type Exporter struct {
	cfg        Config
	health     *healthInstruments // nil without Health or MeterProvider
	calls      *callInstruments   // nil without Recorder or MeterProvider
	unregister func() error
	closing    sync.Once
}

// New returns an Exporter, or an error that joins every mistake in cfg. It registers one callback with the
// MeterProvider, whose readers then read snapshots when they collect, and starts nothing. Close undoes it.
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

// register makes all instruments and one callback for all of them, so that what is collected at one time was true at
// one time.
func (e *Exporter) register(meter metric.Meter) error {
	m := &maker{meter: meter}
	if e.cfg.Source != nil {
		e.health = newHealthInstruments(m)
	}
	if e.cfg.Recorder != nil {
		e.calls = newCallInstruments(m)
	}
	if err := errors.Join(m.errs...); err != nil {
		return err
	}
	registration, err := meter.RegisterCallback(e.observe, m.made...)
	if err != nil {
		return err
	}
	e.unregister = registration.Unregister
	return nil
}

// observe is the callback. It reads snapshots and neither waits nor runs a check.
func (e *Exporter) observe(_ context.Context, o metric.Observer) error {
	if e.health != nil {
		e.health.observe(o, e.cfg.Source.Report())
	}
	if e.calls != nil {
		e.calls.server.observe(o, e.cfg.Recorder.ServerTotals())
		e.calls.client.observe(o, e.cfg.Recorder.ClientTotals())
	}
	return nil
}

// Close unregisters the callback. Close after the provider's last flush, or what happened since the one before is not
// exported. The Producer, which is a part of its reader, ends with that. Closing again does nothing.
func (e *Exporter) Close() (err error) {
	e.closing.Do(func() { err = e.unregister() })
	return err
}
