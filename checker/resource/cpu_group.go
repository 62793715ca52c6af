package resource

import (
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
)

// groupCPU is the CPU time of one level of the control groups.
type groupCPU struct {
	dir  string
	used float64 // CPU seconds since the group was created
	cpus float64 // the limit
}

// groupCPUs returns the limited levels, own group first.
func groupCPUs(files fs.FS) []groupCPU {
	h, ok := findHierarchy(files, "cpu")
	if !ok {
		return nil
	}
	online, known := parseCPUList(readText(files, "sys/devices/system/cpu/online"))
	if !known {
		online = runtime.NumCPU()
	}
	var groups []groupCPU
	for i, dir := range h.dirs {
		cpus, limited := levelQuota(files, dir, h.unified)
		if !limited {
			cpus = float64(online)
		}
		if i == 0 && known {
			// A cpuset is inherited: that of the own group suffices.
			if set, ok := cpuset(files, h); ok && set < online {
				cpus, limited = min(cpus, float64(set)), true
			}
		}
		cpus = min(cpus, float64(online))
		if used, ok := cpuUsed(files, h, dir); ok && limited && cpus > 0 {
			groups = append(groups, groupCPU{dir: dir, used: used, cpus: cpus})
		}
	}
	return groups
}

// levelQuota returns the quota of one level in CPUs.
func levelQuota(files fs.FS, dir string, unified bool) (float64, bool) {
	if unified {
		limit, period, _ := strings.Cut(strings.TrimSpace(readText(files, path.Join(dir, "cpu.max"))), " ")
		return quota(limit, period)
	}
	return quota(
		readText(files, path.Join(dir, "cpu.cfs_quota_us")),
		readText(files, path.Join(dir, "cpu.cfs_period_us")),
	)
}

// cpuUsed returns the CPU time of one level. Version 1 has a separate controller for it, which may be mounted elsewhere; it
// counts only if the process is in the same group there.
func cpuUsed(files fs.FS, h hierarchy, dir string) (seconds float64, ok bool) {
	if h.unified {
		micros, ok := parseField(readText(files, path.Join(dir, "cpu.stat")), "usage_usec")
		return float64(micros) / 1e6, ok
	}
	twin, ok := twinOf(files, h, dir, "cpuacct")
	if !ok {
		return 0, false
	}
	nanos, ok := readNumber(files, twin, "cpuacct.usage")
	return float64(nanos) / 1e9, ok
}

// cpuset returns how many CPUs the own group may run on.
func cpuset(files fs.FS, h hierarchy) (int, bool) {
	if h.unified {
		return parseCPUList(readText(files, path.Join(h.dirs[0], "cpuset.cpus.effective")))
	}
	twin, ok := twinOf(files, h, h.dirs[0], "cpuset")
	if !ok {
		return 0, false
	}
	if n, ok := parseCPUList(readText(files, path.Join(twin, "cpuset.effective_cpus"))); ok {
		return n, true
	}
	return parseCPUList(readText(files, path.Join(twin, "cpuset.cpus")))
}

// twinOf returns the directory of the same group in the version 1 tree of another controller, if the process is in or below
// it there too.
func twinOf(files fs.FS, h hierarchy, dir, controller string) (string, bool) {
	other, ok := findHierarchy(files, controller)
	if !ok || other.unified {
		return "", false
	}
	below := strings.TrimPrefix(strings.TrimPrefix(dir, h.mount), "/")
	twin := path.Join(other.mount, below)
	return twin, slices.Contains(other.dirs, twin)
}
