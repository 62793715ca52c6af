package resource

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// formulas of the checks that read files.
func formulas() map[string]string {
	return map[string]string{
		cpuUsage: "CPU time used / (time passed × CPUs); CPU time of this process by getrusage, of the host in /proc/stat",
		memoryUsage: "(usage - inactive_file - active_file - slab_reclaimable) / limit; of the host (MemTotal - MemAvailable) / " +
			"MemTotal, in /proc/meminfo",
		diskUsage:      "used / (used + available), or of inodes, by statfs",
		diskFree:       "available, by statfs",
		openFiles:      "entries of /dev/fd / RLIMIT_NOFILE",
		pids:           "pids.current / pids.max",
		loadAverage:    "first number of /proc/loadavg / CPUs",
		cpuThrottling:  "nr_throttled / nr_periods, since the last run",
		cpuPressure:    "avg60 of some",
		memoryPressure: "avg60 of full",
		ioPressure:     "avg60 of full",
	}
}

// Explain describes what the checks of cfg measure here: control groups, values, formulas, the files that they were read
// from, and what other programs make of the same files. It takes a second, for the use of CPU time.
func Explain(ctx context.Context, cfg Config) (string, error) {
	m := machine{host: gopsutil{}, process: processCPU}
	return m.explain(ctx, newMemo(thisMachine().files), cfg)
}

func (m machine) explain(ctx context.Context, files fs.FS, cfg Config) (string, error) {
	read := &readFiles{FS: files}
	m.files = read
	checks, err := checksOn(m, cfg)
	if err != nil {
		return "", err
	}
	timer := time.NewTimer(shortest)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	var text strings.Builder
	m.explainGroups(&text)
	for _, check := range checks {
		read.list = nil
		reading, err := check.Measure(ctx)
		fmt.Fprintf(&text, "\n%s  %s%s %s\n", check.Name, number(reading.Value), reading.Unit, reading.Source)
		if err != nil {
			fmt.Fprintf(&text, "  error: %v\n", err)
		}
		kind, _, _ := strings.Cut(check.Name, ":") // disk_usage:/path
		if formula, ok := formulas()[kind]; ok {
			fmt.Fprintf(&text, "  = %s\n", formula)
		}
		dir := ""
		for _, found := range read.list {
			if d := path.Dir(found.file); d != dir {
				dir = d
				fmt.Fprintf(&text, "  in /%s\n", dir)
			}
			fmt.Fprintf(&text, "    %s: %s\n", path.Base(found.file), found.line)
		}
		if check.Name == memoryUsage {
			m.explainOthers(ctx, &text)
		}
	}
	return text.String(), nil
}

// explainGroups lists the control group of each controller.
func (m machine) explainGroups(text *strings.Builder) {
	g := readGroups(m.files)
	for _, controller := range []string{"cpu", "cpuset", "memory", "pids"} {
		h, ok := g.find(controller)
		if !ok {
			fmt.Fprintf(text, "%-7s no control group is visible\n", controller)
			continue
		}
		version := 1
		if h.unified {
			version = 2
		}
		fmt.Fprintf(text, "%-7s group %s in /%s, version %d\n", controller, h.places[0].group, h.places[0].dir, version)
	}
}

// explainOthers adds how much memory other programs show.
func (m machine) explainOthers(ctx context.Context, text *strings.Builder) {
	if h, ok := readGroups(m.files).find("memory"); ok {
		current, inactive := "memory.usage_in_bytes", "total_inactive_file"
		if h.unified {
			current, inactive = "memory.current", "inactive_file"
		}
		dir := h.places[0].dir
		used, _ := readNumber(m.files, dir, current)
		cache, _ := parseField(readText(m.files, path.Join(dir, "memory.stat")), inactive)
		fmt.Fprintf(text, "  cat %s: %s; docker stats, kubectl top: %s\n", current, humanSize(used), humanSize(used-min(cache, used)))
	}
	if host, err := m.host.Memory(ctx); err == nil {
		fmt.Fprintf(text, "  free: %s of %s\n", humanSize(host.Used), humanSize(host.Total))
	}
}

// readFiles lists what is read from a tree, cut down to what counts.
type readFiles struct {
	fs.FS

	list []foundLine
}

type foundLine struct{ file, line string }

// ReadFile implements fs.ReadFileFS.
func (r *readFiles) ReadFile(name string) ([]byte, error) {
	content, err := fs.ReadFile(r.FS, name)
	if err != nil || name == "proc/self/cgroup" || name == "proc/self/mountinfo" {
		return content, err
	}
	keys := usedKeys(path.Base(name), string(content))
	for line := range strings.Lines(string(content)) {
		key, _, _ := strings.Cut(line, " ")
		found := foundLine{name, strings.TrimSpace(line)}
		if (keys == nil || slices.Contains(keys, key)) && !slices.Contains(r.list, found) {
			r.list = append(r.list, found)
		}
	}
	return content, nil
}

// usedKeys returns the keys of the lines that are used of a file, nil for all.
func usedKeys(name, content string) []string {
	switch {
	case name == "memory.stat" && strings.Contains(content, "hierarchical_memory_limit"):
		return append(reclaimable(false), "hierarchical_memory_limit")
	case name == "memory.stat":
		return reclaimable(true)
	case name == "cpu.stat":
		return []string{"usage_usec", "nr_periods", "nr_throttled"}
	case name == "status":
		return []string{}
	default:
		return nil
	}
}
