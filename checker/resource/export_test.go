package resource

import (
	"io/fs"
	"time"

	"github.com/vitals-go/vitals/checker"
)

type (
	Host     = host
	CPUTimes = cpuTimes
	Usage    = usage
	Sampler  = sampler
)

// ChecksOn is Checks on a fake machine.
func ChecksOn(h Host, files fs.FS, cfg Config) ([]checker.Check, error) {
	return checksOn(machine{h, files}, cfg)
}

// NewSampler returns a sampler of a fake machine, on which this process runs if so.
func NewSampler(h Host, files fs.FS, here bool) *Sampler {
	s := newSampler(machine{h, files})
	if here {
		s.process = func() (time.Duration, int, error) { return processCPU() }
	}
	return s
}

// ThisHost is the machine that the tests run on.
var ThisHost Host = gopsutil{}

var (
	SampleOf = (*sampler).cpu
	MemoryOf = (*sampler).memory
)
