package resource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/vitals-go/vitals/checker"
)

// level is a limit of bytes or tasks, and what counts against it.
type level struct {
	usage

	source string
}

// memoryCheck returns nil where neither a limit nor the host's memory is known.
func (m machine) memoryCheck() measure {
	if _, err := m.measureMemory(context.Background()); err != nil {
		return nil
	}
	return m.measureMemory
}

func (m machine) measureMemory(ctx context.Context) (checker.Measurement, error) {
	host, err := m.host.Memory(ctx)
	// Without the host's size any limit below unlimited counts.
	levels := m.memoryLevels(host.Total)
	if len(levels) == 0 {
		if err == nil && host.Total == 0 {
			err = errors.New("got 0 bytes; is /proc/meminfo readable?")
		}
		if err != nil {
			return checker.Measurement{}, fmt.Errorf("reading the host's memory: %w", err)
		}
		levels = append(levels, level{host, "of the " + m.around("meminfo") + " (" + humanSize(host.Total) + ")"})
	}
	fullest := levels[0]
	for _, l := range levels[1:] {
		if fuller(l.usage, fullest.usage) {
			fullest = l
		}
	}
	return checker.Measurement{Value: fullest.percent(), Unit: "%", Source: fullest.source}, nil
}

// fuller compares shares, and limits when the shares are equal.
func fuller(a, b usage) bool {
	x, y := float64(a.Used)/float64(a.Total), float64(b.Used)/float64(b.Total)
	return x > y || x == y && a.Total < b.Total
}

// memoryLevels returns what limits the memory of the process, the own group first. A limit of more than host bytes is none.
func (m machine) memoryLevels(host uint64) (levels []level) {
	most := min(unlimited-1, cmp.Or(host, unlimited-1))
	add := func(u usage, limit, note string) {
		if u.Total > 0 && u.Total <= most {
			levels = append(levels, level{u, "of the " + limit + " (" + humanSize(u.Total) + ")" + note})
		}
	}
	h, _ := readGroups(m.files).find("memory")
	hidden := usage{Total: unlimited}
	var own *usage
	for i, p := range h.places {
		limit, note := memoryLimit(m.files, p.dir, h.unified)
		configured := m.memory > 0 && i == 0 && p.own && !h.isRoot(m.files)
		if h.unified && limit >= unlimited && !configured {
			continue
		}
		stat := readText(m.files, path.Join(p.dir, "memory.stat"))
		used, ok := groupMemory(m.files, p.dir, stat, h.unified)
		if !ok {
			continue
		}
		if configured {
			own = &usage{Used: used}
		}
		add(usage{used, limit}, "cgroup limit", note+p.note())
		// That of version 1 is the smallest of all ancestors, also of those that a container cannot see.
		if all, ok := parseField(stat, "hierarchical_memory_limit"); ok && !h.unified && all < hidden.Total {
			hidden = usage{used, all}
		}
	}
	if !slices.ContainsFunc(levels, func(l level) bool { return l.Total <= hidden.Total }) {
		add(hidden, "cgroup limit", ", set on a hidden parent")
	}
	if m.memory > 0 {
		if own != nil {
			add(usage{own.Used, m.memory}, "configured limit", "")
		} else if used, ok := processMemory(m.files); ok {
			add(usage{used, m.memory}, "configured limit", ", this process only")
		}
	}
	return levels
}

// memoryLimit returns the limit of one group, and its name unless the kernel kills at it: beyond memory.high it only slows
// the group down, as a process that allocates more cannot go on either.
func memoryLimit(files fs.FS, dir string, unified bool) (limit uint64, note string) {
	name := "memory.limit_in_bytes"
	if unified {
		name = "memory.max"
	}
	limit, ok := readNumber(files, dir, name)
	if !ok {
		limit = unlimited
	}
	if high, ok := readNumber(files, dir, "memory.high"); ok && unified && high < limit {
		return high, ", memory.high"
	}
	return limit, ""
}

// reclaimable are the lines of memory.stat with memory that the kernel drops before it kills: page cache, and caches of
// inodes and directory entries. Version 1 has no figure for the latter. Neither list has tmpfs and locked pages.
func reclaimable(unified bool) []string {
	if unified {
		return []string{"inactive_file", "active_file", "slab_reclaimable"}
	}
	return []string{"total_inactive_file", "total_active_file"}
}

// groupMemory returns the bytes of one group that the kernel cannot reclaim; stat is its memory.stat.
func groupMemory(files fs.FS, dir, stat string, unified bool) (used uint64, ok bool) {
	current := "memory.usage_in_bytes"
	if unified {
		current = "memory.current"
	}
	used, ok = readNumber(files, dir, current)
	for _, key := range reclaimable(unified) {
		cache, _ := parseField(stat, key)
		used -= min(cache, used)
	}
	return used, ok
}

// processMemory returns the bytes of this process that are not backed by files.
func processMemory(files fs.FS) (used uint64, ok bool) {
	for _, key := range []string{"RssAnon", "RssShmem"} {
		n, found := parseNumber(strings.TrimSuffix(statusLine(files, key), " kB"))
		if found && n < unlimited/1024 {
			used, ok = used+n*1024, true
		}
	}
	return used, ok
}
