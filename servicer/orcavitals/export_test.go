package orcavitals

import (
	"context"
	"errors"
)

// Machine is a fake one with one CPU.
type Machine interface {
	CPU() (used, passed float64, err error) // in seconds
	Memory() (float64, error)               // the share in use
}

// NewOn is New on a fake machine.
func NewOn(cfg Config, m Machine) (*Reporter, error) { return newReporter(cfg, fake{m}) }

type fake struct{ Machine }

type fakeCPU struct{ used, passed float64 }

func (f fake) cpu(context.Context) (cpuSample, error) {
	used, passed, err := f.CPU()
	return fakeCPU{used, passed}, err
}

func (f fake) memory(context.Context) (float64, error) { return f.Memory() }

func (s fakeCPU) since(before cpuSample) (float64, error) {
	b := before.(fakeCPU)
	if s.passed <= b.passed {
		return 0, errors.New("no time between two samples")
	}
	return (s.used - b.used) / (s.passed - b.passed), nil
}
