package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/vitals-go/vitals/interceptor"
	otelvitals "github.com/vitals-go/vitals/otel"
	"github.com/vitals-go/vitals/otel/otelproducer"
	"github.com/vitals-go/vitals/servicer"
)

// otlpFacts weighs one export of everything, as a collector receives it.
func otlpFacts(facts map[string]float64, health *servicer.Server, recorder *interceptor.Recorder) {
	for fact, compression := range map[string]otlpmetrichttp.Compression{
		"otlp_bytes": otlpmetrichttp.NoCompression, "otlp_gzip_bytes": otlpmetrichttp.GzipCompression,
	} {
		collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			facts[fact] = float64(n)
		}))
		export(strings.TrimPrefix(collector.URL, "http://"), compression, health, recorder)
		collector.Close()
	}
}

func export(endpoint string, compression otlpmetrichttp.Compression, health *servicer.Server, recorder *interceptor.Recorder) {
	ctx := context.Background()
	exporter, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpoint(endpoint), otlpmetrichttp.WithInsecure(), otlpmetrichttp.WithCompression(compression))
	if err != nil {
		panic(err)
	}
	producer := otelproducer.New(otelproducer.Config{})
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithProducer(producer))))
	vitals, err := otelvitals.New(otelvitals.Config{Source: health, Recorder: recorder, MeterProvider: provider, Producer: producer})
	if err != nil {
		panic(err)
	}
	if err := provider.Shutdown(ctx); err != nil { // which flushes once
		panic(err)
	}
	_ = vitals.Close()
}
