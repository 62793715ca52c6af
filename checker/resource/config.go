package resource

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// Config sets limits and intervals. The zero value uses the documented defaults.
type Config struct {
	// CPU, Memory and Disk are the percentages beyond which cpu_usage, memory_usage and disk_usage are critical, such
	// as checker.Above(70). Above 0.8 of it, the check warns. Defaults: above 80, 85 and 90.
	CPU, Memory, Disk checker.Limit
	// Limits sets the limit of checks by name, in the unit of their values, with a warning above 0.8 or below 1.25 of it. Checks
	// without a limit of their own exist only if they are named here; a zero Limit leaves a check out. The name of a check
	// of a disk has the whole path.
	Limits map[string]checker.Limit

	// CPUs and MemoryBytes are limits that the process cannot see, such as those of a pod or an ECS task around its
	// container. CPU and memory are measured against them as well as against visible limits. Default: none.
	CPUs        float64
	MemoryBytes uint64

	// DiskPaths selects the filesystems to measure. A relative path is relative to the working directory at the time of
	// Checks. Those of images, such as squashfs, are left out. One that is read-only counts as full; "/" only once it has been
	// writable. Default: only "/". Empty but not nil: none.
	DiskPaths []string

	// Interval between two runs of each check. Default: that of checker.Check.
	Interval time.Duration
	// Timeout of each run. Default: that of checker.Check.
	Timeout time.Duration
}

// limit returns the limit of a check, zero if the check is to be left out: Limits says so, or nothing limits it.
func (c Config) limit(name string) checker.Limit {
	limits := map[string]checker.Limit{
		cpuUsage:    cmp.Or(c.CPU, checker.Above(80)),
		memoryUsage: cmp.Or(c.Memory, checker.Above(85)),
		diskUsage:   cmp.Or(c.Disk, checker.Above(90)),
		openFiles:   checker.Above(90),
		pids:        checker.Above(90),
	}
	maps.Copy(limits, c.Limits)
	limit, set := limits[name]
	if !set {
		kind, _, _ := strings.Cut(name, ":") // disk_usage:/path
		limit = limits[kind]
	}
	return limit
}

// validate returns all mistakes.
func (c Config) validate() error {
	var mistakes []error
	add := func(format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf("resource: "+format, args...))
	}
	for _, f := range []struct {
		field, name string
		limit       checker.Limit
	}{{"CPU", cpuUsage, c.CPU}, {"Memory", memoryUsage, c.Memory}, {"Disk", diskUsage, c.Disk}} {
		if f.limit.IsZero() {
			continue
		}
		if value := f.limit.Value(); !f.limit.IsUpper() || !(value >= 0 && value <= 100) {
			add("%s: got %v, want checker.Above a percentage from 0 to 100", f.field, f.limit)
		}
		if _, set := c.Limits[f.name]; set {
			add("%s and Limits[%q] exclude each other", f.field, f.name)
		}
	}
	if !(c.CPUs >= 0) || math.IsInf(c.CPUs, 0) {
		add("CPUs: got %v, want 0 or more", c.CPUs)
	}
	if c.Interval < 0 {
		add("Interval: got %v, want 0 or more", c.Interval)
	}
	if c.Timeout < 0 {
		add("Timeout: got %v, want 0 or more", c.Timeout)
	}
	for i, path := range c.DiskPaths {
		if path == "" {
			add("DiskPaths[%d]: empty path", i)
		} else if slices.Contains(c.DiskPaths[:i], path) {
			add("DiskPaths[%d]: %q is listed twice", i, path)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Limits)) {
		kind, path, isPath := strings.Cut(name, ":")
		isPath = isPath && (kind == diskUsage || kind == diskFree) && slices.Contains(c.DiskPaths, path)
		if !slices.Contains(names, name) && !isPath {
			add("Limits: unknown check %q; have %s", name, strings.Join(names, ", "))
		}
	}
	return errors.Join(mistakes...)
}
