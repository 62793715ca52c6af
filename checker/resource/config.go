package resource

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// Config says what to measure and where the lines are. The zero value is the documented default.
type Config struct {
	// CPUThreshold is the percentage above which cpu_usage is critical; above 0.8 of it, it warns. Default 80.
	// Negative: measured, not judged. At most 100.
	CPUThreshold float64
	// MemoryThreshold is the same for memory_usage. Default 85.
	MemoryThreshold float64
	// DiskThreshold is the same for disk_usage. Default 90.
	DiskThreshold float64
	// Thresholds replaces the threshold of the checks that it names, in the unit of their values.
	Thresholds map[string]checker.Threshold

	// DiskPaths are the folders whose filesystems are measured. Default: only "/". Empty but not nil: none.
	DiskPaths []string

	// Interval between two runs of each check. Default: that of checker.Check.
	Interval time.Duration
	// Timeout of each run. Default: that of checker.Check.
	Timeout time.Duration

	// Host measures the machine. Default: gopsutil.
	Host Host
	// Files is the tree in which control groups and pressure are read, rooted at "/". Default: os.DirFS("/") on
	// Linux, an empty tree elsewhere.
	Files fs.FS
}

// The percentages above which a check is critical unless Config says otherwise.
const (
	defaultCPU       = 80
	defaultMemory    = 85
	defaultDisk      = 90
	defaultOpenFiles = 90
)

func (c Config) withDefaults() Config {
	setDefault(&c.CPUThreshold, defaultCPU)
	setDefault(&c.MemoryThreshold, defaultMemory)
	setDefault(&c.DiskThreshold, defaultDisk)
	if c.DiskPaths == nil {
		c.DiskPaths = []string{"/"}
	}
	if c.Host == nil {
		c.Host = gopsutil{}
	}
	if c.Files == nil {
		c.Files = noFiles{}
		if runtime.GOOS == "linux" {
			c.Files = os.DirFS("/")
		}
	}
	return c
}

func setDefault(value *float64, def float64) {
	if *value == 0 {
		*value = def
	}
}

// validate reports all mistakes of a Config that has its defaults.
func (c Config) validate() error {
	return errors.Join(
		validPercent("CPUThreshold", c.CPUThreshold),
		validPercent("MemoryThreshold", c.MemoryThreshold),
		validPercent("DiskThreshold", c.DiskThreshold),
		validDuration("Interval", c.Interval),
		validDuration("Timeout", c.Timeout),
		validPaths(c.DiskPaths),
	)
}

func validPercent(field string, value float64) error {
	if math.IsNaN(value) || value > 100 {
		return fmt.Errorf("resource: %s is %v, want a percentage up to 100", field, value)
	}
	return nil
}

func validDuration(field string, value time.Duration) error {
	if value < 0 {
		return fmt.Errorf("resource: %s is %v, want 0 (the default) or more", field, value)
	}
	return nil
}

func validPaths(paths []string) error {
	var mistakes []error
	for i, path := range paths {
		switch {
		case path == "":
			mistakes = append(mistakes, fmt.Errorf("resource: DiskPaths[%d] is empty", i))
		case slices.Contains(paths[:i], path):
			mistakes = append(mistakes, fmt.Errorf("resource: DiskPaths[%d]: %q is there twice", i, path))
		}
	}
	return errors.Join(mistakes...)
}

// apply puts Thresholds in force. It is a mistake to name a check that can never exist; one that only this machine
// does not offer is passed over, so that a configuration can serve several machines.
func (c Config) apply(checks []checker.Check) error {
	var mistakes []error
	for _, name := range slices.Sorted(maps.Keys(c.Thresholds)) {
		i := slices.IndexFunc(checks, func(check checker.Check) bool { return check.Name == name })
		switch {
		case i >= 0:
			checks[i].Threshold = c.Thresholds[name]
		case !slices.Contains(optionalNames, name):
			mistakes = append(mistakes, fmt.Errorf("resource: Thresholds: there is no check %q", name))
		}
	}
	return errors.Join(mistakes...)
}

// noFiles is the tree of a machine that has no control groups.
type noFiles struct{}

func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
