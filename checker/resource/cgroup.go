package resource

import (
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// hierarchy is one tree of control groups as this process sees it.
type hierarchy struct {
	unified bool     // version 2
	dirs    []string // of the own group and its ancestors up to mount, as names for fs.FS; never empty
	mount   string   // where the tree is mounted
}

// membership is one line of /proc/self/cgroup.
type membership struct {
	controllers []string // [""] for version 2
	group       string
}

// mount is one line of /proc/self/mountinfo, cut down to control groups.
type mount struct {
	root        string   // the group that is mounted
	point       string   // where
	controllers []string // [""] for version 2; for version 1 among other mount options
}

// findHierarchy returns the tree of controller, or with "" that of version 2. Version 1 takes precedence: a controller that
// is mounted there is not available in version 2.
func findHierarchy(files fs.FS, controller string) (hierarchy, bool) {
	members := parseMembership(readText(files, "proc/self/cgroup"))
	mounts := parseMounts(readText(files, "proc/self/mountinfo"))
	for _, key := range []string{controller, ""} {
		i := slices.IndexFunc(members, func(m membership) bool { return slices.Contains(m.controllers, key) })
		if i < 0 {
			continue
		}
		if h, ok := locate(mounts, members[i].group, key); ok {
			return h, true
		}
	}
	return hierarchy{}, false
}

// locate finds the directories of group. A mount of another part of the tree still has the limits of that part's root,
// which is all that a container without its own cgroup namespace can see.
func locate(mounts []mount, group, controller string) (hierarchy, bool) {
	var found hierarchy
	for _, m := range mounts {
		if !slices.Contains(m.controllers, controller) {
			continue
		}
		below, within := relative(m.root, group)
		if within || found.dirs == nil {
			found = hierarchy{unified: controller == "", dirs: levels(m.point, below), mount: fsName(m.point)}
		}
		if within {
			break
		}
	}
	return found, found.dirs != nil
}

// relative returns group as seen from root, "" for root itself, and whether it lies within root.
func relative(root, group string) (string, bool) {
	root, group = path.Clean("/"+root), path.Clean("/"+group)
	if root == "/" {
		return strings.TrimPrefix(group, "/"), true
	}
	below, ok := strings.CutPrefix(group, root)
	if !ok || below != "" && below[0] != '/' {
		return "", false
	}
	return strings.TrimPrefix(below, "/"), true
}

// maxLevels bounds the work for deeply nested groups.
const maxLevels = 64

// levels returns the directory below point, then its parents up to point.
func levels(point, below string) []string {
	base := fsName(point)
	var dirs []string
	for below != "" && below != "." && len(dirs) < maxLevels {
		dirs = append(dirs, path.Join(base, below))
		below = path.Dir(below)
	}
	return append(dirs, base)
}

// fsName converts an absolute path to a name for fs.FS.
func fsName(absolute string) string {
	if name := strings.TrimPrefix(path.Clean("/"+absolute), "/"); name != "" {
		return name
	}
	return "."
}

// readText returns the text of a file, or "" if it cannot be read: kernels may lack any of these files.
func readText(files fs.FS, name string) string {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return ""
	}
	return string(text)
}

// parseMembership parses /proc/self/cgroup: lines of id:controllers:path. Malformed lines are skipped.
func parseMembership(text string) []membership {
	var members []membership
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(parts) == 3 && strings.HasPrefix(parts[2], "/") && (parts[1] != "" || parts[0] == "0") {
			members = append(members, membership{strings.Split(parts[1], ","), parts[2]})
		}
	}
	return members
}

// parseMounts parses the control groups in /proc/self/mountinfo, see proc_pid_mountinfo(5).
func parseMounts(text string) []mount {
	var mounts []mount
	for line := range strings.Lines(text) {
		before, after, _ := strings.Cut(line, " - ")
		if !strings.HasPrefix(after, "cgroup") {
			continue
		}
		where, what := strings.Fields(before), strings.Fields(after)
		if len(where) < 5 || len(what) < 3 || !strings.HasPrefix(where[4], "/") {
			continue
		}
		m := mount{root: mountEscapes.Replace(where[3]), point: mountEscapes.Replace(where[4])}
		switch what[0] {
		case "cgroup2":
			m.controllers = []string{""}
		case "cgroup":
			m.controllers = strings.Split(what[2], ",")
		default:
			continue
		}
		mounts = append(mounts, m)
	}
	return mounts
}

// mountEscapes decodes what the kernel escapes in mountinfo.
var mountEscapes = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\043`, "#", `\134`, `\`)

// unlimited: a limit of at least this many bytes is none. Version 1 has nearly 2^63 for it.
const unlimited = 1 << 60

// parseNumber parses one non-negative number. "max" is none.
func parseNumber(text string) (uint64, bool) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	return n, err == nil
}

// parseField parses the number after key in lines of "key number", as in memory.stat.
func parseField(text, key string) (uint64, bool) {
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(line, " ")
		if ok && name == key {
			return parseNumber(value)
		}
	}
	return 0, false
}

// quota divides the CPU time per period by the period. "max" and -1 mean none.
func quota(quota, period string) (float64, bool) {
	q, ok := parseNumber(quota)
	p, ok2 := parseNumber(period)
	if !ok || !ok2 || q == 0 || p == 0 {
		return 0, false
	}
	return float64(q) / float64(p), true
}

// parseCPUList counts the CPUs in a list such as "0-3,7".
func parseCPUList(text string) (int, bool) {
	count := 0
	for part := range strings.SplitSeq(strings.TrimSpace(text), ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, err := strconv.ParseUint(first, 10, 16)
		b, err2 := strconv.ParseUint(last, 10, 16)
		if err != nil || err2 != nil || b < a {
			return 0, false
		}
		count += int(b-a) + 1
	}
	return count, true
}

// parsePressure parses one line ("some" or "full") of a pressure file into its average over a minute as a percentage, see
// the kernel's Documentation/accounting/psi.rst.
func parsePressure(text, line string) (float64, bool) {
	for l := range strings.Lines(text) {
		if !strings.HasPrefix(l, line+" ") {
			continue
		}
		_, average, _ := strings.Cut(l, " avg60=")
		average, _, _ = strings.Cut(average, " ")
		share, err := strconv.ParseFloat(average, 64)
		return share, err == nil && share >= 0 && share <= 100
	}
	return 0, false
}

// readNumber reads the number in a file of dir.
func readNumber(files fs.FS, dir, name string) (uint64, bool) {
	return parseNumber(readText(files, path.Join(dir, name)))
}
