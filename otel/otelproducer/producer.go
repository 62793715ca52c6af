package otelproducer

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/vitals-go/vitals/interceptor"
	otelvitals "github.com/vitals-go/vitals/otel"
	"github.com/vitals-go/vitals/otel/internal/semconv"
	"github.com/vitals-go/vitals/servicer"
)

// Config says how a Producer tells durations. The zero value follows the conventions.
type Config struct {
	// Exponential makes exponential histograms of calls instead of explicit buckets: finer, and then without status
	// code and error type, for which the recorder keeps the buckets of the conventions only.
	Exponential bool
}

// Producer is an sdkmetric.Producer for the histograms that are ready-made in snapshots. Create it with New, give it to
// a reader by sdkmetric.WithProducer, and Attach what it tells of. All methods may be called concurrently.
type Producer struct {
	exponential bool
	// server and client keep the attributes of each side's methods.
	server, client semconv.Cache
	sources        atomic.Pointer[sources] // nil until Attach; written once
}

var (
	_ sdkmetric.Producer  = (*Producer)(nil)
	_ otelvitals.Producer = (*Producer)(nil)
)

type sources struct {
	health   servicer.ReportSource
	recorder *interceptor.Recorder
	attached time.Time
}

// New returns a Producer that has nothing to tell yet.
func New(cfg Config) *Producer { return &Producer{exponential: cfg.Exponential} }

var (
	errNothing  = errors.New("otelproducer: Attach needs health, recorder or both")
	errAttached = errors.New("otelproducer: the Producer is attached already; histograms of two lives do not add up")
)

// Attach gives the Producer its sources, of which one may be nil. It fails if both are, or if there are sources already;
// otelvitals.New and vitals.New do it for the Producer in their Config.
func (p *Producer) Attach(health servicer.ReportSource, recorder *interceptor.Recorder) error {
	if health == nil && recorder == nil {
		return errNothing
	}
	if !p.sources.CompareAndSwap(nil, &sources{health, recorder, time.Now()}) {
		return errAttached
	}
	return nil
}

// Produce implements sdkmetric.Producer. It reads snapshots: it runs no check and waits for nothing.
func (p *Producer) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	s := p.sources.Load()
	if s == nil {
		return nil, nil
	}
	var metrics []metricdata.Metrics
	if s.health != nil {
		metrics = append(metrics, checkDurations(s.health.Report(), s.attached))
	}
	if s.recorder != nil {
		metrics = append(metrics,
			p.callDurations(semconv.Server, s.recorder.Server()),
			p.callDurations(semconv.Client, s.recorder.Client()))
	}
	metrics = nonEmpty(metrics)
	if len(metrics) == 0 {
		return nil, nil
	}
	return []metricdata.ScopeMetrics{{Scope: instrumentation.Scope{Name: semconv.Scope}, Metrics: metrics}}, nil
}

// nonEmpty drops metrics without data, which exporters find odd.
func nonEmpty(metrics []metricdata.Metrics) []metricdata.Metrics {
	kept := metrics[:0]
	for _, m := range metrics {
		if m.Data != nil {
			kept = append(kept, m)
		}
	}
	return kept
}
