package otelvitals

import (
	"runtime"
	"testing"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/vitals-go/vitals/interceptor"
)

// A MeterProvider that is dropped without Close, and its Exporter, leave nothing behind.
func TestStateEndsWithItsMeterProvider(t *testing.T) {
	create := func() {
		recorder, err := interceptor.New(interceptor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
		if _, err := New(Config{Recorder: recorder, MeterProvider: provider}); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		create()
	}
	runtime.GC()
	create()
	providers.mu.Lock()
	defer providers.mu.Unlock()
	if n := len(providers.all); n > 2 {
		t.Errorf("the states of %d MeterProviders are kept, want that of the last", n)
	}
}
