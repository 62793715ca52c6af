package resource

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/disk"
	"github.com/shirou/gopsutil/v3/load"
	"github.com/shirou/gopsutil/v3/mem"
)

// gopsutil is the real host. It reads counters only: gopsutil's own percentages block, or share one sample in the process.
type gopsutil struct{}

func (gopsutil) CPU(ctx context.Context) (cpuTimes, error) {
	all, err := cpu.TimesWithContext(ctx, false)
	if err != nil {
		return cpuTimes{}, supported(err)
	}
	if len(all) != 1 {
		return cpuTimes{}, fmt.Errorf("gopsutil returned %d sums of CPU times, want 1", len(all))
	}
	cpus, err := cpu.CountsWithContext(ctx, true)
	if err != nil || cpus <= 0 {
		cpus = runtime.NumCPU()
	}
	t := all[0]
	// Guest time is included in user and nice time.
	busy := t.User + t.Nice + t.System + t.Irq + t.Softirq + t.Steal
	return cpuTimes{Busy: busy, Total: busy + t.Idle + t.Iowait, CPUs: cpus}, nil
}

func (gopsutil) Memory(ctx context.Context) (usage, error) {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return usage{}, supported(err)
	}
	available := m.Available
	if available == m.Free {
		// Old versions of lxcfs leave out what can be reclaimed, which the kernel never does.
		cache := m.Buffers + m.Cached // with SReclaimable
		available += cache - min(m.Shared, cache)
	}
	return usage{Used: m.Total - min(available, m.Total), Total: m.Total}, nil
}

func (gopsutil) Disk(ctx context.Context, path string) (diskState, error) {
	d, err := disk.UsageWithContext(ctx, path)
	if err != nil {
		return diskState{}, supported(err)
	}
	// As in df, what is reserved for root is neither used nor available.
	return diskState{
		Space: usage{Used: d.Used, Total: d.Used + d.Free}, Inodes: usage{Used: d.InodesUsed, Total: d.InodesTotal},
		ReadOnly: readOnly(path), Type: d.Fstype,
	}, nil
}

func (gopsutil) Load(ctx context.Context) (float64, error) {
	if runtime.GOOS == "windows" {
		// gopsutil estimates it there in a goroutine that never ends.
		return 0, errors.ErrUnsupported
	}
	avg, err := load.AvgWithContext(ctx)
	if err != nil {
		return 0, supported(err)
	}
	cpus, err := cpu.CountsWithContext(ctx, true)
	if err != nil {
		return 0, fmt.Errorf("counting CPUs: %w", err)
	}
	if cpus <= 0 {
		return 0, fmt.Errorf("counting CPUs: got %d", cpus)
	}
	return avg.Load1 / float64(cpus), nil
}

// supported replaces gopsutil's internal sentinel, which cannot be imported, by the standard one.
func supported(err error) error {
	if err.Error() == "not implemented yet" {
		return fmt.Errorf("gopsutil: %w", errors.ErrUnsupported)
	}
	return err
}
