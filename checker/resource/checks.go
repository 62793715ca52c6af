package resource

import (
	"context"
	"fmt"
	"runtime"
	"strconv"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/safefile"
)

// The names of the checks. Those of the first three are part of the API.
const (
	cpuUsage       = "cpu_usage"
	memoryUsage    = "memory_usage"
	diskUsage      = "disk_usage"
	diskFree       = "disk_free"
	openFiles      = "open_files"
	pids           = "pids"
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
	cpuUsage, memoryUsage, diskUsage, diskFree, openFiles, pids, goroutines, gcCPU, loadAverage, cpuThrottling, cpuPressure, memoryPressure,
	ioPressure,
}

// Checks returns the checks that have a limit and that this machine offers, ready for a checker.Checker, in the order of
// the package's documentation. The error joins all mistakes of cfg. Checks takes a first sample of CPU and memory, starts
// nothing and never touches a path of DiskPaths. Limits may name checks that only other machines offer.
func Checks(cfg Config) ([]checker.Check, error) { return checksOn(thisMachine(), cfg) }

func checksOn(m machine, cfg Config) ([]checker.Check, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	m = m.limitedTo(cfg)
	if cfg.DiskPaths == nil {
		cfg.DiskPaths = []string{"/"}
	}
	s := &set{cfg: cfg}
	s.add(cpuUsage, "CPU usage", m.cpuCheck)
	s.add(memoryUsage, "Memory usage", m.memoryCheck)
	for _, path := range cfg.DiskPaths {
		s.addDisk(m, path)
	}
	s.add(openFiles, "Open files", func() measure { return openFilesCheck(cfg) })
	s.add(pids, "Processes and threads", m.pidsCheck)
	s.add(goroutines, "Goroutines", func() measure { return countGoroutines })
	s.add(gcCPU, "Garbage collection", func() measure { return newGCMeter().measure })
	s.add(loadAverage, "Load average", m.loadCheck)
	s.add(cpuThrottling, "CPU throttling", m.throttlingCheck)
	// "full" is not defined for CPU at the system level, so this is "some".
	s.add(cpuPressure, "CPU pressure", func() measure { return m.pressureCheck("cpu", "some") })
	s.add(memoryPressure, "Memory pressure", func() measure { return m.pressureCheck("memory", "full") })
	s.add(ioPressure, "I/O pressure", func() measure { return m.pressureCheck("io", "full") })
	return s.checks, nil
}

// measure is the function of a check; nil where the machine does not offer it.
type measure func(context.Context) (checker.Measurement, error)

type set struct {
	cfg    Config
	checks []checker.Check
}

// add is addLimited with the limit for name.
func (s *set) add(name, title string, create func() measure) {
	s.addLimited(s.cfg.limit(name), name, title, create)
}

// addLimited adds a check that has a limit, unless create returns nil.
func (s *set) addLimited(limit checker.Limit, name, title string, create func() measure) {
	if limit.IsZero() {
		return
	}
	warning := checker.Below(limit.Value() / 0.8)
	if limit.IsUpper() {
		warning = checker.Above(0.8 * limit.Value())
	}
	if m := create(); m != nil {
		s.checks = append(s.checks, checker.Check{
			Name: name, Title: title, Kind: checker.Resource, Measure: m, Warning: warning, Critical: limit,
			Interval: s.cfg.Interval, Timeout: s.cfg.Timeout,
		})
	}
}

// addDisk adds the checks of a filesystem, unless it is an image.
func (s *set) addDisk(m machine, path string) {
	f := &filesystem{host: m.host, path: safefile.Abs(path)}
	if isImage(typeOf(m.files, f.path)) {
		return
	}
	for _, c := range []struct {
		name, title string
		measure     measure
	}{{diskUsage, "Disk usage", f.usage}, {diskFree, "Free disk space", f.free}} {
		name, title, limit := c.name, c.title, s.cfg.limit(c.name)
		if len(s.cfg.DiskPaths) > 1 {
			short := shortPath(path)
			name, title, limit = name+":"+short, title+" of "+short, s.cfg.limit(name+":"+path)
		}
		s.addLimited(limit, name, title, func() measure { return c.measure })
	}
}

func (m machine) loadCheck() measure {
	if _, err := m.host.Load(context.Background()); err != nil {
		return nil
	}
	return func(ctx context.Context) (checker.Measurement, error) {
		perCPU, err := m.host.Load(ctx)
		if err != nil {
			return checker.Measurement{}, fmt.Errorf("reading the load average: %w", err)
		}
		return checker.Measurement{Value: perCPU, Source: "per CPU of the host over a minute"}, nil
	}
}

func countGoroutines(context.Context) (checker.Measurement, error) {
	return checker.Measurement{Value: float64(runtime.NumGoroutine())}, nil
}

// openFilesCheck returns nil where open files cannot be counted, or have no limit to be compared with.
func openFilesCheck(cfg Config) measure {
	_, own := cfg.Limits[openFiles]
	if files, err := descriptors(); err != nil || files.Total == 0 && !own {
		return nil
	}
	return measureOpenFiles
}

// measureOpenFiles measures open descriptors, in percent of the limit if there is one.
func measureOpenFiles(context.Context) (checker.Measurement, error) {
	files, err := descriptors()
	if err != nil {
		return checker.Measurement{}, fmt.Errorf("counting open files: %w", err)
	}
	if files.Total == 0 {
		return checker.Measurement{Value: float64(files.Used)}, nil
	}
	return checker.Measurement{
		Value: files.percent(), Unit: "%", Source: "of the limit (" + strconv.FormatUint(files.Total, 10) + ")",
	}, nil
}
