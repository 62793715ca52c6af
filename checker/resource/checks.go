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

// optionalNames are the checks that not every machine offers.
var optionalNames = []string{
	cpuUsage, openFiles, loadAverage, cpuThrottling, cpuPressure, memoryPressure, ioPressure,
}

// Checks returns the checks that this machine offers, ready for a checker.Checker, in the order of the package's
// documentation. It reports all mistakes of cfg at once. It starts nothing, but reads the first CPU sample; it never
// touches a path of DiskPaths.
func Checks(cfg Config) ([]checker.Check, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	checks := usageChecks(cfg)
	checks = append(checks, processChecks()...)
	checks = append(checks, loadChecks(cfg)...)
	checks = append(checks, throttlingChecks(cfg)...)
	checks = append(checks, pressureChecks(cfg)...)
	for i := range checks {
		checks[i].Kind = checker.Resource
		checks[i].Interval = cfg.Interval
		checks[i].Timeout = cfg.Timeout
	}
	return checks, cfg.apply(checks)
}

// usageChecks are the three of the contract.
func usageChecks(cfg Config) []checker.Check {
	var checks []checker.Check
	meter := newCPUMeter(cfg.Host, cfg.Files)
	if !meter.unsupported {
		checks = append(checks, checker.Check{
			Name: cpuUsage, Title: "CPU usage", Measure: meter.measure, Threshold: above(cfg.CPUThreshold),
		})
	}
	checks = append(checks, checker.Check{
		Name: memoryUsage, Title: "Memory usage", Measure: memoryMeter{cfg.Host, cfg.Files}.measure,
		Threshold: above(cfg.MemoryThreshold),
	})
	for _, path := range cfg.DiskPaths {
		check := checker.Check{
			Name: diskUsage, Title: "Disk usage", Measure: (&filesystem{host: cfg.Host, path: path}).measure,
			Threshold: above(cfg.DiskThreshold),
		}
		if len(cfg.DiskPaths) > 1 {
			check.Name += ":" + path
			check.Title += " of " + path
		}
		checks = append(checks, check)
	}
	return checks
}

// above returns the threshold at percent; a negative one judges nothing.
func above(percent float64) checker.Threshold {
	return checker.Threshold{Critical: max(percent, 0)}
}

func loadChecks(cfg Config) []checker.Check {
	if _, err := cfg.Host.Load(context.Background()); errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return []checker.Check{{
		Name: loadAverage, Title: "Load average",
		Measure: func(ctx context.Context) (checker.Measurement, error) {
			perCPU, err := cfg.Host.Load(ctx)
			if err != nil {
				return checker.Measurement{}, fmt.Errorf("reading the load average: %w", err)
			}
			return checker.Measurement{Value: perCPU, Source: "per CPU of the host over a minute"}, nil
		},
	}}
}

// processChecks are about this process alone.
func processChecks() []checker.Check {
	var checks []checker.Check
	if files, err := descriptors(); !errors.Is(err, errors.ErrUnsupported) {
		check := checker.Check{Name: openFiles, Title: "Open files", Measure: measureOpenFiles}
		if files.Total > 0 {
			check.Threshold = above(defaultOpenFiles)
		}
		checks = append(checks, check)
	}
	return append(checks,
		checker.Check{
			Name: goroutines, Title: "Goroutines",
			Measure: func(context.Context) (checker.Measurement, error) {
				return checker.Measurement{Value: float64(runtime.NumGoroutine())}, nil
			},
		},
		checker.Check{Name: gcCPU, Title: "Garbage collection", Measure: newGCMeter().measure},
	)
}
