package resource_test

import (
	"testing"

	"github.com/vitals-go/vitals/checker/resource"
)

// BenchmarkMeasure is one run of each check on the real machine.
func BenchmarkMeasure(b *testing.B) {
	checks, err := resource.Checks(resource.Config{})
	if err != nil {
		b.Fatal(err)
	}
	for _, check := range checks {
		b.Run(check.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := check.Measure(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSample is what a report to load balancers costs each time.
func BenchmarkSample(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := resource.SampleCPU(b.Context(), resource.Config{}); err != nil {
			b.Fatal(err)
		}
		if _, err := resource.MemoryUsage(b.Context(), resource.Config{}); err != nil {
			b.Fatal(err)
		}
	}
}
