package main

import (
	"context"
	"errors"
	"os"
	"time"

	gopsutil "github.com/shirou/gopsutil/v3/process"

	"github.com/vitals-go/vitals/checker/resource"
)

// machine is a resource.Host that takes the process for a machine of its own, with one CPU and 1 GiB: several servers on
// one computer would otherwise all report the load of that computer.
type machine struct {
	self *gopsutil.Process
	born time.Time
}

func newMachine() (*machine, error) {
	self, err := gopsutil.NewProcess(int32(os.Getpid()))
	return &machine{self: self, born: time.Now()}, err
}

// CPU implements resource.Host.
func (m *machine) CPU(ctx context.Context) (resource.CPUTimes, error) {
	used, err := m.self.TimesWithContext(ctx)
	if err != nil {
		return resource.CPUTimes{}, err
	}
	return resource.CPUTimes{Busy: used.User + used.System, Total: time.Since(m.born).Seconds(), CPUs: 1}, nil
}

// Memory implements resource.Host.
func (m *machine) Memory(ctx context.Context) (resource.Usage, error) {
	used, err := m.self.MemoryInfoWithContext(ctx)
	if err != nil {
		return resource.Usage{}, err
	}
	return resource.Usage{Used: used.RSS, Total: 1 << 30}, nil
}

// Disk implements resource.Host. Nobody asks.
func (m *machine) Disk(context.Context, string) (resource.Usage, error) {
	return resource.Usage{}, errors.ErrUnsupported
}

// Load implements resource.Host.
func (m *machine) Load(context.Context) (float64, error) { return 0, errors.ErrUnsupported }
