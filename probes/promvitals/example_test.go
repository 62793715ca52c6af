package promvitals_test

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

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
