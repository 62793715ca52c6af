package resource

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/vitals-go/vitals/checker"
)

// The names of the checks. The first three are what reports, dashboards and alerts rely on.
const (
	cpuUsage       = "cpu_usage"
	memoryUsage    = "memory_usage"
	diskUsage      = "disk_usage"
	openFiles      = "open_files"
	goroutines     = "goroutines"
	gcCPU          = "gc_cpu"
	loadAverage    = "load"
	cpuThrottling  = "cpu_throttling"
	cpuPressure    = "cpu_pressure"
	memoryPressure = "memory_pressure"
	ioPressure     = "io_pressure"
)

// names are those of all checks.
var names = []string{
	cpuUsage, memoryUsage, diskUsage, openFiles, goroutines, gcCPU, loadAverage, cpuThrottling, cpuPressure, memoryPressure,
	ioPressure,
}

// Checks returns the checks that have a limit and that this machine offers, ready for a checker.Checker, in the order of
// the package's documentation. The error joins all mistakes of cfg. Checks reads the first CPU sample, starts nothing
// and never touches a path of DiskPaths. Limits may name checks that only other machines offer.
func Checks(cfg Config) ([]checker.Check, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s := &set{cfg: cfg}
	s.add(cpuUsage, "CPU usage", newCPUCheck)
	s.add(memoryUsage, "Memory usage", func(cfg Config) measure { return memoryMeter{cfg.Host, cfg.Files}.measure })
	for _, path := range cfg.DiskPaths {
		name, title := diskUsage, "Disk usage"
		if len(cfg.DiskPaths) > 1 {
			name, title = name+":"+path, title+" of "+path
		}
		s.add(name, title, func(cfg Config) measure { return (&filesystem{host: cfg.Host, path: path}).measure })
	}
	s.add(openFiles, "Open files", newOpenFilesCheck)
	s.add(goroutines, "Goroutines", func(Config) measure { return countGoroutines })
	s.add(gcCPU, "Garbage collection", func(Config) measure { return newGCMeter().measure })
	s.add(loadAverage, "Load average", newLoadCheck)
	s.add(cpuThrottling, "CPU throttling", newThrottlingCheck)
	// Nearly every busy system has some task waiting for a CPU; all of them at once never wait for one.
	s.add(cpuPressure, "CPU pressure", newPressureCheck("cpu", "some"))
	s.add(memoryPressure, "Memory pressure", newPressureCheck("memory", "full"))
	s.add(ioPressure, "I/O pressure", newPressureCheck("io", "full"))
	return s.checks, nil
}

// measure is the function of a check.
type measure func(context.Context) (checker.Measurement, error)

type set struct {
	cfg    Config
	checks []checker.Check
}

// add adds a check if it has a limit and create, which returns nil where the machine does not offer it, can make it.
func (s *set) add(name, title string, create func(Config) measure) {
	limit, limited := s.cfg.limit(name)
	if !limited {
		return
	}
	var warning checker.Limit
	if limit.IsUpper() {
		warning = checker.Above(0.8 * limit.Value())
	}
	if m := create(s.cfg); m != nil {
		s.checks = append(s.checks, checker.Check{
			Name: name, Title: title, Kind: checker.Resource, Measure: m, Warning: warning, Critical: limit,
			Interval: s.cfg.Interval, Timeout: s.cfg.Timeout,
		})
	}
}

func newCPUCheck(cfg Config) measure {
	if meter := newCPUMeter(cfg.Host, cfg.Files); !meter.unsupported {
		return meter.measure
	}
	return nil
}

func newLoadCheck(cfg Config) measure {
	if _, err := cfg.Host.Load(context.Background()); errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return func(ctx context.Context) (checker.Measurement, error) {
		perCPU, err := cfg.Host.Load(ctx)
		if err != nil {
			return checker.Measurement{}, fmt.Errorf("reading the load average: %w", err)
		}
		return checker.Measurement{Value: perCPU, Source: "per CPU of the host over a minute"}, nil
	}
}

func countGoroutines(context.Context) (checker.Measurement, error) {
	return checker.Measurement{Value: float64(runtime.NumGoroutine())}, nil
}
