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

// Config configures a Producer. The zero value follows the conventions.
type Config struct {
	// Exponential makes exponential histograms of calls in place of explicit buckets: finer, but without status code and
	// error type, for which the recorder keeps the buckets of the conventions only.
	Exponential bool
}

// Producer is an sdkmetric.Producer of the histograms that snapshots contain. Create it with New and give it to a reader by
// sdkmetric.WithProducer. It produces nothing before Attach. It is safe for concurrent use.
type Producer struct {
	exponential    bool
	server, client semconv.Cache
	sources        atomic.Pointer[sources] // nil until Attach and after Detach
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

// New returns a Producer.
func New(cfg Config) *Producer { return &Producer{exponential: cfg.Exponential} }

// Attach sets the sources, one of which may be nil. It fails if both are, or while others are attached: histograms of two
// recorders do not add up. otelvitals.New and vitals.New call it for the Producer in their Config, and Close calls Detach.
func (p *Producer) Attach(source servicer.ReportSource, recorder *interceptor.Recorder) error {
	if source == nil && recorder == nil {
		return errors.New("otelproducer: Attach: source or recorder is required")
	}
	if !p.sources.CompareAndSwap(nil, &sources{source, recorder, time.Now()}) {
		return errors.New("otelproducer: Attach: another recorder or source is attached: Detach it, by Close of its Exporter or Health, or use a Producer for each")
	}
	return nil
}

// Detach removes the sources; nothing is produced until the next Attach. The histograms of another recorder begin at zero,
// with that recorder's creation as their start time.
func (p *Producer) Detach() { p.sources.Store(nil) }

// Produce implements sdkmetric.Producer. It reads snapshots; it runs no check and does not wait.
func (p *Producer) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	s := p.sources.Load()
	if s == nil {
		return nil, nil
	}
	var metrics []metricdata.Metrics
	add := func(name, description string, data metricdata.Aggregation) {
		if data != nil {
			metrics = append(metrics, metricdata.Metrics{Name: name, Description: description, Unit: "s", Data: data})
		}
	}
	if s.health != nil {
		add("vitals.check.duration", "How long the runs of a check took.", checkDurations(s.health.Report(), s.attached))
	}
	if s.recorder != nil {
		add(semconv.ServerCallDuration, "Measures the duration of an incoming Remote Procedure Call (RPC).",
			p.durations(semconv.Server, s.recorder.Server(), &p.server))
		add(semconv.ClientCallDuration, "Measures the duration of an outgoing Remote Procedure Call (RPC).",
			p.durations(semconv.Client, s.recorder.Client(), &p.client))
	}
	if len(metrics) == 0 {
		return nil, nil
	}
	return []metricdata.ScopeMetrics{{Scope: instrumentation.Scope{Name: semconv.Scope}, Metrics: metrics}}, nil
}

func (p *Producer) durations(side semconv.Side, snapshot *interceptor.Snapshot, attributes *semconv.Cache) metricdata.Aggregation {
	if p.exponential {
		return exponentialDurations(snapshot, attributes)
	}
	return callDurations(side, snapshot, attributes)
}
