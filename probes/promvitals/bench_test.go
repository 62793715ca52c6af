package promvitals_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/probes/promvitals"
)

// BenchmarkGather is what a scrape costs before the page is written; bench compares it with Vecs.
func BenchmarkGather(b *testing.B) {
	for _, methods := range []int{100, 1000} {
		b.Run(fmt.Sprintf("%d methods", methods), func(b *testing.B) {
			recorder, err := interceptor.New(interceptor.Config{MaxMethods: methods})
			if err != nil {
				b.Fatal(err)
			}
			for i := range methods {
				info := &grpc.UnaryServerInfo{FullMethod: fmt.Sprintf("/shop.v1.Orders/Method%d", i)}
				for range 5 {
					_, _ = recorder.UnaryServerInterceptor(b.Context(), nil, info, func(context.Context, any) (any, error) { return nil, nil })
				}
			}
			gather(b, promvitals.Config{Recorder: recorder})
		})
	}
}

func gather(b *testing.B, config promvitals.Config) {
	b.Helper()
	c, err := promvitals.New(config)
	if err != nil {
		b.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(c)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := registry.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGatherChecks is what a report of many checks costs; their labels are kept from one scrape to the next.
func BenchmarkGatherChecks(b *testing.B) {
	gather(b, promvitals.Config{Source: staticSource{large(200)}})
}
