package resource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/vitals-go/vitals/checker"
)

// memoryMeter measures memory. It is stateless.
type memoryMeter struct{ machine }

func (m memoryMeter) measure(ctx context.Context) (checker.Measurement, error) {
	host, err := m.host.Memory(ctx)
	// Without the host's size any limit below unlimited counts.
	if group, ok := groupMemory(m.files, host.Total); ok {
		return percentOf(group, "cgroup limit"), nil
	}
	if err != nil {
		return checker.Measurement{}, fmt.Errorf("reading the host's memory: %w", err)
	}
	if host.Total == 0 {
		return checker.Measurement{}, errors.New("reading the host's memory: got 0 bytes; is /proc/meminfo readable?")
	}
	return percentOf(host, "host"), nil
}

func percentOf(u usage, what string) checker.Measurement {
	return checker.Measurement{
		Value: u.percent(), Unit: "%", Source: "of the " + what + " (" + humanSize(u.Total) + ")",
	}
}

// groupMemory returns usage and limit of the fullest limited level, own group first, and false if nothing limits.
// A limit of at least host bytes is none.
func groupMemory(files fs.FS, host uint64) (usage, bool) {
	h, ok := findHierarchy(files, "memory")
	if !ok {
		return usage{}, false
	}
	most := min(unlimited, cmp.Or(host, unlimited))
	var fullest usage
	for _, dir := range h.dirs {
		u, ok := levelMemory(files, dir, h.unified)
		if ok && u.Total > 0 && u.Total < most && (fullest.Total == 0 || fuller(u, fullest)) {
			fullest = u
		}
	}
	return fullest, fullest.Total > 0
}

// fuller compares shares, and limits when the shares are equal.
func fuller(a, b usage) bool {
	x, y := float64(a.Used)/float64(a.Total), float64(b.Used)/float64(b.Total)
	return x > y || x == y && a.Total < b.Total
}

// levelMemory returns usage and limit of one level. Of version 2 the limit is the smaller of memory.max, which kills, and
// memory.high, which throttles. Of version 1 it includes the smallest of all ancestors, also of those that a container
// cannot see.
func levelMemory(files fs.FS, dir string, unified bool) (usage, bool) {
	limits, current, inactive := []string{"memory.limit_in_bytes"}, "memory.usage_in_bytes", "total_inactive_file"
	if unified {
		limits, current, inactive = []string{"memory.max", "memory.high"}, "memory.current", "inactive_file"
	}
	stat, limit := readText(files, path.Join(dir, "memory.stat")), uint64(unlimited)
	for _, name := range limits {
		if n, ok := readNumber(files, dir, name); ok {
			limit = min(limit, n)
		}
	}
	if n, ok := parseField(stat, "hierarchical_memory_limit"); ok && !unified {
		limit = min(limit, n)
	}
	used, ok := readNumber(files, dir, current)
	cache, _ := parseField(stat, inactive)
	return usage{Used: used - min(cache, used), Total: limit}, ok
}
