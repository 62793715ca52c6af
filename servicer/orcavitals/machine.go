package orcavitals

import (
	"context"

	"github.com/vitals-go/vitals/checker/resource"
)

// machine is what a Reporter samples; tests replace it.
type machine interface {
	cpu(ctx context.Context) (cpuSample, error)
	memory(ctx context.Context) (float64, error)
}

// cpuSample is the CPU time used until a moment.
type cpuSample interface {
	// since returns the share of the CPUs used since an earlier sample of the same machine.
	since(before cpuSample) (float64, error)
}

type thisMachine struct{}

type realCPU struct{ resource.CPUSample }

func (thisMachine) cpu(ctx context.Context) (cpuSample, error) {
	sample, err := resource.SampleCPU(ctx)
	return realCPU{sample}, err
}

func (thisMachine) memory(ctx context.Context) (float64, error) { return resource.MemoryUsage(ctx) }

func (s realCPU) since(before cpuSample) (float64, error) {
	return s.Since(before.(realCPU).CPUSample)
}
