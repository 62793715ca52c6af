package promvitals

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/interceptor"
)

// called returns a Collector of so many methods that were called.
func called(tb testing.TB, methods int) *Collector {
	tb.Helper()
	recorder, err := interceptor.New(interceptor.Config{MaxMethods: methods})
	if err != nil {
		tb.Fatal(err)
	}
	for i := range methods {
		info := &grpc.UnaryServerInfo{FullMethod: fmt.Sprintf("/shop.v1.Orders/Method%d", i)}
		_, _ = recorder.UnaryServer(tb.Context(), nil, info, func(context.Context, any) (any, error) { return nil, nil })
	}
	c, err := New(Config{Recorder: recorder})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// write writes what c has, without a rest.
func write(c *Collector, text *toText) {
	text.reset(openMetrics)
	text.pace.rested = mostRest
	c.collect(text)
}

// What a page allocates grows with the logarithm of its size: that of the lists of codes.
func TestTextOfManyMethodsIsMadeOfFewAllocations(t *testing.T) {
	allocations := map[int]float64{}
	for _, methods := range []int{100, 800} {
		c, text := called(t, methods), new(toText)
		allocations[methods] = testing.AllocsPerRun(10, func() { write(c, text) })
	}
	if allocations[100] > 100 || allocations[800] > allocations[100]+3*float64(interceptor.Codes) {
		t.Errorf("allocations by methods: %v", allocations)
	}
}

// BenchmarkText compares what a page of text costs with what client_golang takes for the same one.
func BenchmarkText(b *testing.B) {
	c, text := called(b, 100), new(toText)
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			write(c, text)
			if err := text.writeTo(io.Discard); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("client_golang's", func(b *testing.B) {
		registry := prometheus.NewRegistry()
		registry.MustRegister(c)
		b.ReportAllocs()
		for b.Loop() {
			families, err := registry.Gather()
			if err != nil {
				b.Fatal(err)
			}
			encoder := expfmt.NewEncoder(io.Discard, expfmt.NewFormat(expfmt.TypeOpenMetrics))
			for _, f := range families {
				if err := encoder.Encode(f); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
