package resource

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
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
	// Limits sets the limit of checks by name, in the unit of their values, and for Above a warning at 0.8 of it. Checks
	// without a limit of their own exist only if they are named here; a zero Limit leaves a check out.
	Limits map[string]checker.Limit

	// DiskPaths selects the filesystems to measure. Default: only "/". Empty but not nil: none.
	DiskPaths []string

	// Interval between two runs of each check. Default: that of checker.Check.
	Interval time.Duration
	// Timeout of each run. Default: that of checker.Check.
	Timeout time.Duration
}

// limit returns the limit of a check, and false if the check is to be left out: Limits says so, or nothing limits it.
func (c Config) limit(name string) (checker.Limit, bool) {
	kind, _, _ := strings.Cut(name, ":") // disk_usage:/path
	for _, key := range []string{name, kind} {
		if limit, set := c.Limits[key]; set {
			return limit, !limit.IsZero()
		}
	}
	switch kind {
	case cpuUsage:
		return cmp.Or(c.CPU, checker.Above(80)), true
	case memoryUsage:
		return cmp.Or(c.Memory, checker.Above(85)), true
	case diskUsage:
		return cmp.Or(c.Disk, checker.Above(90)), true
	case openFiles:
		return checker.Above(90), true
	default:
		return checker.Limit{}, false
	}
}

// validate returns all mistakes.
func (c Config) validate() error {
	mistakes := []error{
		validPercent("CPU", c.CPU),
		validPercent("Memory", c.Memory),
		validPercent("Disk", c.Disk),
		validDuration("Interval", c.Interval),
		validDuration("Timeout", c.Timeout),
		validPaths(c.DiskPaths),
	}
	for _, name := range slices.Sorted(maps.Keys(c.Limits)) {
		path, isPath := strings.CutPrefix(name, diskUsage+":")
		if !slices.Contains(names, name) && (!isPath || !slices.Contains(c.DiskPaths, path)) {
			mistakes = append(mistakes, fmt.Errorf("resource: Limits: unknown check %q; have %s", name, strings.Join(names, ", ")))
		}
	}
	for _, both := range []struct {
		field, name string
		limit       checker.Limit
	}{{"CPU", cpuUsage, c.CPU}, {"Memory", memoryUsage, c.Memory}, {"Disk", diskUsage, c.Disk}} {
		if _, set := c.Limits[both.name]; set && !both.limit.IsZero() {
			mistakes = append(mistakes, fmt.Errorf("resource: %s and Limits[%q] exclude each other", both.field, both.name))
		}
	}
	return errors.Join(mistakes...)
}

func validPercent(field string, limit checker.Limit) error {
	if value := limit.Value(); !limit.IsZero() && !(limit.IsUpper() && value >= 0 && value <= 100) {
		return fmt.Errorf("resource: %s: got %v, want checker.Above a percentage from 0 to 100", field, limit)
	}
	return nil
}

func validDuration(field string, value time.Duration) error {
	if value < 0 {
		return fmt.Errorf("resource: %s: got %v, want 0 or more", field, value)
	}
	return nil
}

func validPaths(paths []string) error {
	var mistakes []error
	for i, path := range paths {
		switch {
		case path == "":
			mistakes = append(mistakes, fmt.Errorf("resource: DiskPaths[%d]: empty path", i))
		case slices.Contains(paths[:i], path):
			mistakes = append(mistakes, fmt.Errorf("resource: DiskPaths[%d]: %q is listed twice", i, path))
		}
	}
	return errors.Join(mistakes...)
}
