package otelvitals

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"weak"

	"go.opentelemetry.io/otel/metric"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/otel/internal/semconv"
	"github.com/vitals-go/vitals/servicer"
)

// provider is what a MeterProvider has of this package: one callback and the instruments, which Exporters use one after the
// other. It lives as long as the MeterProvider, which holds the callback, so that counters continue after Close and New.
type provider struct {
	meters metric.MeterProvider

	// mu is held while sources are read, so that collections of several readers count in the order of their reads.
	mu       sync.Mutex
	exporter *Exporter // nil between Close and New
	// source and recorder are those of the last Exporter, whose counts the counters hold.
	source         servicer.ReportSource
	recorder       *interceptor.Recorder
	health         *healthInstruments
	server, client *callInstruments
}

// providers are those of all MeterProviders in use.
//
//nolint:gochecknoglobals // Two Exporters on one MeterProvider have nothing else in common, and would add up unnoticed.
var providers struct {
	mu  sync.Mutex
	all []weak.Pointer[provider]
}

// providerOf returns the provider of meters, a new one if it has none.
func providerOf(meters metric.MeterProvider) (*provider, error) {
	if reflect.TypeOf(meters).Kind() != reflect.Pointer { // noop's: two values are not one provider
		return newProvider(meters)
	}
	providers.mu.Lock()
	defer providers.mu.Unlock()
	providers.all = slices.DeleteFunc(providers.all, func(w weak.Pointer[provider]) bool { return w.Value() == nil })
	for _, w := range providers.all {
		if p := w.Value(); p != nil && p.meters == meters {
			return p, nil
		}
	}
	p, err := newProvider(meters)
	if err == nil {
		providers.all = append(providers.all, weak.Make(p))
	}
	return p, err
}

// newProvider creates all instruments, and one callback so that their values are of one time.
func newProvider(meters metric.MeterProvider) (*provider, error) {
	p := &provider{meters: meters}
	b := &builder{meter: meters.Meter(semconv.Scope)}
	p.health = newHealthInstruments(b)
	p.server = newCallInstruments(b, semconv.Server, "vitals.rpc.server.", "on the server")
	p.server.panics = b.counter("vitals.rpc.server.panics", "{call}", "RPCs whose handler panicked.")
	p.client = newCallInstruments(b, semconv.Client, "vitals.rpc.client.", "by the client")
	if err := errors.Join(b.errs...); err != nil {
		return nil, err
	}
	_, err := b.meter.RegisterCallback(p.collect, b.observables...)
	return p, err
}

// attach makes e the Exporter of p.
func (p *provider) attach(e *Exporter) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.exporter != nil {
		return errors.New("otelvitals: MeterProvider: another Exporter exports to it, and their series would add up: Close that one, or use a MeterProvider for each")
	}
	if !same(p.source, e.cfg.Source) {
		p.health.restart()
	}
	if p.recorder != e.cfg.Recorder {
		p.server.restart()
		p.client.restart()
	}
	p.exporter, p.source, p.recorder = e, e.cfg.Source, e.cfg.Recorder
	return nil
}

// detach counts what has happened since the last collection, and ends the series of e that are no counters.
func (p *provider) detach(e *Exporter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.exporter == e {
		p.observe(context.Background(), nothing{})
		p.exporter = nil
	}
}

func (p *provider) collect(ctx context.Context, o metric.Observer) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.exporter != nil {
		p.observe(ctx, o)
	}
	return nil
}

func (p *provider) observe(ctx context.Context, o observer) {
	if p.source != nil {
		p.health.observe(ctx, o, p.source.Report())
	}
	if p.recorder != nil {
		p.server.observe(ctx, o, p.recorder.ServerTotals())
		p.client.observe(ctx, o, p.recorder.ClientTotals())
	}
}

// same compares sources, which may be of types that are not comparable.
func same(a, b servicer.ReportSource) bool {
	return a == nil && b == nil || reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

// observer is metric.Observer without what only the API may implement.
type observer interface {
	ObserveInt64(metric.Int64Observable, int64, ...metric.ObserveOption)
	ObserveFloat64(metric.Float64Observable, float64, ...metric.ObserveOption)
}

// nothing ignores observations.
type nothing struct{}

func (nothing) ObserveInt64(metric.Int64Observable, int64, ...metric.ObserveOption)       {}
func (nothing) ObserveFloat64(metric.Float64Observable, float64, ...metric.ObserveOption) {}
