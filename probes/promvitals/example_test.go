package promvitals_test

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer"
)

// A collector for a registry that the program already has.
func ExampleNew() {
	recorder, err := interceptor.New(interceptor.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	health, err := servicer.New(servicer.Config{Recorder: recorder})
	if err != nil {
		fmt.Println(err)
		return
	}
	collector, err := promvitals.New(promvitals.Config{Source: health, Recorder: recorder})
	if err != nil {
		fmt.Println(err)
		return
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector)
	families, err := registry.Gather()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range families {
		if f.GetName() == "health_status" {
			label := f.GetMetric()[0].GetLabel()[0]
			fmt.Printf("%s{%s=%q} %v\n", f.GetName(), label.GetName(), label.GetValue(), f.GetMetric()[0].GetGauge().GetValue())
		}
	}
	// Output: health_status{service=""} 1
}

// Two servers in one registry need a label or a prefix.
func ExampleNew_twoServers() {
	registry := prometheus.NewRegistry()
	for _, name := range []string{"public", "admin"} {
		health, err := servicer.New(servicer.Config{})
		if err != nil {
			fmt.Println(err)
			return
		}
		collector, err := promvitals.New(promvitals.Config{Source: health})
		if err != nil {
			fmt.Println(err)
			return
		}
		labeled := prometheus.WrapRegistererWith(prometheus.Labels{"server": name}, registry)
		prometheus.WrapRegistererWithPrefix("shop_", labeled).MustRegister(collector)
	}
	families, err := registry.Gather()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "shop_health_watch_streams" {
				fmt.Printf("%s{server=%q}\n", f.GetName(), m.GetLabel()[0].GetValue())
			}
		}
	}
	// Output:
	// shop_health_watch_streams{server="admin"}
	// shop_health_watch_streams{server="public"}
}

type tenantKey struct{}

// Labels from the context: a recorder for each value of the label, chosen by an interceptor. The values are a fixed set, so
// that callers cannot create series.
func ExampleNew_labelsFromContext() {
	registry := prometheus.NewRegistry()
	recorders := map[string]*interceptor.Recorder{}
	for _, tenant := range []string{"free", "paid", "other"} {
		recorder, err := interceptor.New(interceptor.Config{})
		if err != nil {
			fmt.Println(err)
			return
		}
		collector, err := promvitals.New(promvitals.Config{Recorder: recorder})
		if err != nil {
			fmt.Println(err)
			return
		}
		prometheus.WrapRegistererWith(prometheus.Labels{"tenant": tenant}, registry).MustRegister(collector)
		recorders[tenant] = recorder
	}
	byTenant := func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		tenant, _ := ctx.Value(tenantKey{}).(string)
		recorder := recorders[tenant]
		if recorder == nil {
			recorder = recorders["other"]
		}
		return recorder.UnaryServerInterceptor(ctx, req, info, handler)
	}
	handler := func(context.Context, any) (any, error) { return nil, nil }
	for _, tenant := range []string{"paid", "paid", "unknown"} {
		ctx := context.WithValue(context.Background(), tenantKey{}, tenant) // by the interceptor for credentials
		_, _ = byTenant(ctx, nil, &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Get"}, handler)
	}
	families, err := registry.Gather()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if labels := m.GetLabel(); f.GetName() == "grpc_server_started_total" {
				last := labels[len(labels)-1]
				fmt.Printf("%s %s: %v\n", last.GetName(), last.GetValue(), m.GetCounter().GetValue())
			}
		}
	}
	// Output:
	// tenant other: 1
	// tenant paid: 2
}
