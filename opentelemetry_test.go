package vitals_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/otel/otelproducer"
)

// telemetry is what a server exports to OpenTelemetry.
type telemetry struct {
	reader *sdkmetric.ManualReader
	spans  *tracetest.SpanRecorder
}

func export(cfg *vitals.Config) *telemetry {
	producer := otelproducer.New(otelproducer.Config{})
	told := &telemetry{sdkmetric.NewManualReader(sdkmetric.WithProducer(producer)), tracetest.NewSpanRecorder()}
	cfg.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(told.reader))
	cfg.TracerProvider = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(told.spans))
	cfg.MetricProducer = producer
	return told
}

func (told *telemetry) metrics(t *testing.T) string {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := told.reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					fmt.Fprintln(&text, m.Name, p.Attributes.Encoded(attribute.DefaultEncoder()), p.Value)
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					fmt.Fprintln(&text, m.Name, p.Attributes.Encoded(attribute.DefaultEncoder()), p.Value)
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					fmt.Fprintln(&text, m.Name, p.Attributes.Encoded(attribute.DefaultEncoder()), p.Count)
				}
			}
		}
	}
	return text.String()
}

func TestOpenTelemetryExport(t *testing.T) {
	var told *telemetry
	w := serve(t, func(cfg *vitals.Config) { told = export(cfg) })
	check(t, w.conn, "database", healthpb.HealthCheckResponse_SERVING)
	if _, err := testpb.NewTestServiceClient(w.conn).EmptyCall(t.Context(), &testpb.Empty{}); err != nil {
		t.Fatal(err)
	}
	w.broken.Store(true)
	check(t, w.conn, "database", healthpb.HealthCheckResponse_NOT_SERVING)
	metrics := told.metrics(t)
	for _, want := range []string{
		"vitals.serving vitals.service=database 0\n", "vitals.phase vitals.phase=ready 1\n",
		"rpc.method=grpc.testing.TestService/EmptyCall", "vitals.check.duration vitals.check.name=database ",
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("%q is missing in %s", want, metrics)
		}
	}
	w.end(t)
	// The provider's last flush comes after the server's end: it must still be told how that was.
	if metrics := told.metrics(t); !strings.Contains(metrics, "vitals.phase vitals.phase=stopped 1\n") {
		t.Errorf("the end is not exported: %s", metrics)
	}
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Error(err)
	}
	if metrics := told.metrics(t); strings.Contains(metrics, "vitals.phase") {
		t.Errorf("exported after Close: %s", metrics)
	}
	told.checkSpans(t)
}

func (told *telemetry) checkSpans(t *testing.T) {
	t.Helper()
	runs, ended := 0, false
	for _, span := range told.spans.Ended() {
		text := fmt.Sprintf("%v %v %v", span.Attributes(), span.Status(), span.Events())
		if strings.Contains(text, "hunter2") {
			t.Errorf("a span shows the cause: %s", text)
		}
		if span.Name() == "health.check" {
			runs++
		}
		ended = ended || span.Name() == "health.transition" && strings.Contains(text, "stopped")
	}
	if runs < 2 || !ended {
		t.Errorf("%d runs have spans, the end has one: %v", runs, ended)
	}
}

// A mistake elsewhere leaves nothing with the provider, and a Producer that belongs to somebody else is a mistake.
func TestFailedNewExportsNothing(t *testing.T) {
	cfg := vitals.Config{Logger: slog.New(slog.DiscardHandler)}
	told := export(&cfg)
	broken := cfg
	broken.CheckTimeout = -1
	if _, err := vitals.New(broken); err == nil {
		t.Fatal("accepted")
	}
	if metrics := told.metrics(t); metrics != "" {
		t.Errorf("exported: %s", metrics)
	}
	health, err := vitals.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vitals.New(cfg); err == nil || !strings.Contains(err.Error(), "another recorder or source is attached") {
		t.Errorf("one Producer for two: %v", err)
	}
	if err := health.Close(); err != nil {
		t.Error(err)
	}
	if metrics := told.metrics(t); strings.Contains(metrics, "vitals.phase") {
		t.Errorf("the New that failed exports: %s", metrics)
	}
}

func TestCloseWithoutOpenTelemetry(t *testing.T) {
	health, err := vitals.New(vitals.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := health.Close(); err != nil {
		t.Error(err)
	}
}

// A part of a process that a supervisor ends and creates again exports to the MeterProvider and the producer of the process.
func TestHealthsFollowEachOtherOnOneMeterProvider(t *testing.T) {
	var cfg vitals.Config
	told := export(&cfg)
	for _, want := range []int{3, 5} {
		health, err := vitals.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := vitals.New(cfg); err == nil || !strings.Contains(err.Error(), "another") {
			t.Errorf("a second Health at the same time: %v", err)
		}
		for i := range want {
			op, err := health.Recorder().Begin(t.Context(), "jobs", "resize"), error(nil)
			if i == 0 {
				err = errors.New("full")
			}
			op.End(&err)
		}
		if metrics := told.metrics(t); !strings.Contains(metrics, "rpc.server.call.duration") {
			t.Errorf("no histogram in %s", metrics)
		}
		if err := health.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var calls []string
	for line := range strings.Lines(told.metrics(t)) {
		if strings.HasPrefix(line, "vitals.rpc.server.calls") || strings.HasPrefix(line, "rpc.server.call.duration") {
			calls = append(calls, line[strings.LastIndex(line, " ")+1:])
		}
	}
	if fmt.Sprint(calls) != "[6\n 2\n]" && fmt.Sprint(calls) != "[2\n 6\n]" {
		t.Errorf("counters %q after Close, want 6 successes and 2 failures, and no histogram", calls)
	}
}
