package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/interceptor"
	otelvitals "github.com/vitals-go/vitals/otel"
	"github.com/vitals-go/vitals/otel/otelproducer"
)

// flushTime is what the last export may take. It runs while the server drains, so that not even this is waited for
// unless the drain is shorter.
const flushTime = time.Second

// telemetry exports the health over OTLP. Its zero value exports nothing.
type telemetry struct {
	metrics  *metric.MeterProvider
	traces   *trace.TracerProvider
	producer *otelproducer.Producer // histograms, which the metrics' reader collects
}

// openTelemetry prepares the export to OTEL_EXPORTER_OTLP_ENDPOINT, over HTTP, or over gRPC if
// OTEL_EXPORTER_OTLP_PROTOCOL or the port 4317 selects it. The exporters read the other OTEL_* variables. Nothing is
// connected yet, and an unreachable collector delays nothing.
func openTelemetry(ctx context.Context) (telemetry, error) {
	endpoint := variable("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	if endpoint == "" {
		return telemetry{}, nil
	}
	at, err := url.Parse(endpoint)
	if err != nil || at.Host == "" {
		return telemetry{}, errors.New("OTEL_EXPORTER_OTLP_ENDPOINT: is not of the form http://host:port")
	}
	byPort := map[string]string{"4317": "grpc"}[at.Port()]
	var (
		metrics metric.Exporter
		traces  *otlptrace.Exporter
		errs    mistakes
	)
	switch protocol := variable("OTEL_EXPORTER_OTLP_PROTOCOL", cmp.Or(byPort, "http/protobuf")); protocol {
	case "grpc":
		metrics, err = otlpmetricgrpc.New(ctx)
		errs.join(err)
		traces, err = otlptracegrpc.New(ctx)
	case "http/protobuf":
		metrics, err = otlpmetrichttp.New(ctx)
		errs.join(err)
		traces, err = otlptracehttp.New(ctx)
	default:
		err = fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL: %q is neither grpc nor http/protobuf", protocol)
	}
	errs.join(err)
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithHost(),
		resource.WithAttributes(attribute.String("service.name", "inventory")), resource.WithFromEnv())
	errs.join(err)
	if err := errs.all(); err != nil {
		return telemetry{}, err
	}
	producer := otelproducer.New(otelproducer.Config{})
	reader := metric.NewPeriodicReader(metrics, metric.WithProducer(producer))
	return telemetry{
		metrics:  metric.NewMeterProvider(metric.WithResource(about), metric.WithReader(reader)),
		traces:   trace.NewTracerProvider(trace.WithResource(about), trace.WithBatcher(traces)),
		producer: producer,
	}, nil
}

// attach connects the health to the exporter.
func (t telemetry) attach(cfg *vitals.Config) {
	if t.metrics == nil {
		return
	}
	cfg.MeterProvider, cfg.TracerProvider, cfg.MetricProducer = t.metrics, t.traces, t.producer
	// OpenTelemetry's own switch for what leads from a latency to a trace; by default all sampled spans do.
	if variable("OTEL_METRICS_EXEMPLAR_FILTER", "trace_based") != "always_off" {
		cfg.Recorder.Exemplar = otelvitals.Exemplar
	}
}

// serverOptions traces calls, except those about the server itself. Our recorder counts them: otelgrpc's metrics, which
// cost far more, stay off.
func (t telemetry) serverOptions() []grpc.ServerOption {
	if t.traces == nil {
		return nil
	}
	return []grpc.ServerOption{grpc.StatsHandler(otelgrpc.NewServerHandler(
		otelgrpc.WithTracerProvider(t.traces), otelgrpc.WithMeterProvider(noop.NewMeterProvider()),
		otelgrpc.WithPropagators(propagation.TraceContext{}),
		otelgrpc.WithFilter(func(info *stats.RPCTagInfo) bool {
			return !interceptor.IsInfrastructure(info.FullMethodName)
		}),
	))}
}

// end exports what is left. A collector that is away costs no more than flushTime.
func (t telemetry) end() {
	if t.metrics == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	var flushing sync.WaitGroup
	flushing.Go(func() { _ = t.traces.Shutdown(ctx) }) // That a collector is away has been logged.
	flushing.Go(func() { _ = t.metrics.Shutdown(ctx) })
	flushing.Wait()
}
