package resource

import (
	"context"
	"io/fs"
	"math"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// cpuLevel is a limit of CPU time, and the CPU time that counts against it.
type cpuLevel struct {
	group string  // of which the limit is; "" for the process
	limit string  // the kind of limit, as in texts
	note  string  // more about it
	cpus  float64 // the limit
	used  float64 // CPU seconds of the group
	alone bool    // used is that of this process, because that of the group is not known
}

// source describes the limit; goProcs is GOMAXPROCS, or 0 if that is not known.
func (l cpuLevel) source(goProcs int) string {
	text := "of the " + l.limit + " (" + humanCPUs(l.cpus) + ")" + l.note
	if l.alone {
		text += ", this process only"
	}
	return text + goProcsNote(goProcs, l.cpus)
}

// goProcsNote mentions GOMAXPROCS where it differs from the CPUs: the Go runtime reads neither limits of parent groups nor
// those below two CPUs.
func goProcsNote(goProcs int, cpus float64) string {
	if goProcs == 0 || float64(goProcs) == math.Ceil(cpus) {
		return ""
	}
	return ", GOMAXPROCS " + strconv.Itoa(goProcs)
}

// cpuLevels returns what limits the CPU time of the process, the own group first, and how many CPUs it may run on.
func (m machine) cpuLevels(ctx context.Context, own processTime) (levels []cpuLevel, allowed float64) {
	g := readGroups(m.files)
	online := float64(m.online(ctx))
	allowed = online
	if n, ok := parseCPUList(statusLine(m.files, "Cpus_allowed_list")); ok {
		allowed = min(allowed, float64(n))
	}
	add := func(l cpuLevel) {
		if i := slices.IndexFunc(levels, func(o cpuLevel) bool { return o.group == l.group }); i < 0 {
			levels = append(levels, l)
		} else if l.cpus < levels[i].cpus {
			levels[i] = l
		}
	}
	if h, ok := g.find("cpu"); ok {
		for _, p := range h.places {
			if cpus, ok := levelQuota(m.files, p.dir, h.unified); ok {
				add(cpuLevel{group: p.group, limit: "cgroup limit", note: p.note(), cpus: min(cpus, online)})
			}
		}
	}
	if h, ok := g.find("cpuset"); ok {
		for _, p := range h.places {
			if n, ok := cpuset(m.files, p.dir); ok && float64(n) < online {
				allowed = min(allowed, float64(n))
				add(cpuLevel{group: p.group, limit: "cgroup limit", note: ", cpuset" + p.note(), cpus: float64(n)})
			}
		}
	}
	levels = g.withTimes(levels, own)
	if m.cpus > 0 {
		levels = append(levels, g.configured(cpuLevel{limit: "configured limit", cpus: min(m.cpus, online)}, own)...)
	}
	within := func(l cpuLevel) bool { return l.cpus <= allowed }
	if own.known && allowed < online && !slices.ContainsFunc(levels, within) {
		levels = append(levels, cpuLevel{limit: "CPU affinity", cpus: allowed, used: own.seconds, alone: true})
	}
	return levels, allowed
}

// online is the number of the machine's CPUs.
func (m machine) online(ctx context.Context) int {
	if n, ok := parseCPUList(readText(m.files, "sys/devices/system/cpu/online")); ok {
		return n
	}
	if times, err := m.host.CPU(ctx); err == nil && times.CPUs > 0 {
		return times.CPUs
	}
	return runtime.NumCPU()
}

// withTimes sets the CPU time of each level: of its group, or if that is not known of the process. Levels without both are
// left out.
func (g groups) withTimes(levels []cpuLevel, own processTime) []cpuLevel {
	var timed []cpuLevel
	for _, l := range levels {
		var ok bool
		if l.used, ok = g.cpuUsed(l.group); !ok {
			l.used, l.alone = own.seconds, true
		}
		if ok || own.known {
			timed = append(timed, l)
		}
	}
	return timed
}

// configured is l with the CPU time of the own group, unless that is the root, which has that of the host.
func (g groups) configured(l cpuLevel, own processTime) []cpuLevel {
	for _, controller := range []string{"cpuacct", ""} {
		h, ok := g.find(controller)
		if !ok || !h.places[0].own || h.isRoot(g.files) {
			continue
		}
		if used, ok := g.cpuUsed(h.places[0].group); ok {
			l.used = used
			return []cpuLevel{l}
		}
	}
	if !own.known {
		return nil
	}
	l.used, l.alone = own.seconds, true
	return []cpuLevel{l}
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

// cpuUsed returns the CPU time of a group that the process is in. In version 1 quota, set and time have a tree each, and
// the process may be in another group of the others; those of version 2 have CPU times without any controller.
func (g groups) cpuUsed(group string) (seconds float64, ok bool) {
	for _, controller := range []string{"cpuacct", ""} {
		h, ok := g.find(controller)
		i := slices.IndexFunc(h.places, func(p place) bool { return p.group == group })
		if !ok || i < 0 {
			continue
		}
		if h.unified {
			micros, ok := parseField(readText(g.files, path.Join(h.places[i].dir, "cpu.stat")), "usage_usec")
			return float64(micros) / 1e6, ok
		}
		if nanos, ok := readNumber(g.files, h.places[i].dir, "cpuacct.usage"); ok {
			return float64(nanos) / 1e9, true
		}
	}
	return 0, false
}

// cpuset returns how many CPUs a group may run on; false if the controller is not enabled for it.
func cpuset(files fs.FS, dir string) (int, bool) {
	for _, name := range []string{"cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus"} {
		if n, ok := parseCPUList(readText(files, path.Join(dir, name))); ok {
			return n, true
		}
	}
	return 0, false
}

// statusLine returns the value of a line of /proc/self/status, "" if there is none.
func statusLine(files fs.FS, key string) string {
	for line := range strings.Lines(readText(files, "proc/self/status")) {
		if value, ok := strings.CutPrefix(line, key+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
