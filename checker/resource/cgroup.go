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
	unified bool    // version 2
	places  []place // the own group if it is visible, then visible ancestors; never empty
}

// place is the own control group, or an ancestor of it.
type place struct {
	group string // as in /proc/self/cgroup: a path, which begins with /.. outside the process's namespace
	dir   string // where its files are, as a name for fs.FS
	own   bool
}

// note is what texts add about a limit of this place.
func (p place) note() string {
	if p.own {
		return ""
	}
	return ", set on a parent"
}

// isRoot reports whether the first place is the root of all groups, with the figures of the host.
func (h hierarchy) isRoot(files fs.FS) bool {
	if !h.unified {
		_, err := fs.Stat(files, path.Join(h.places[0].dir, "release_agent"))
		return err == nil
	}
	_, err := fs.Stat(files, path.Join(h.places[0].dir, "cgroup.events"))
	return err != nil
}

// groups are the control groups of this process.
type groups struct {
	files   fs.FS
	members []membership
	mounts  []mount
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

func readGroups(files fs.FS) groups {
	return groups{
		files:   files,
		members: parseMembership(readText(files, "proc/self/cgroup")),
		mounts:  parseMounts(readText(files, "proc/self/mountinfo")),
	}
}

// find returns the tree of controller, or with "" that of version 2. Version 1 takes precedence: a controller that is
// mounted there is not available in version 2.
func (g groups) find(controller string) (hierarchy, bool) {
	for _, key := range []string{controller, ""} {
		i := slices.IndexFunc(g.members, func(m membership) bool { return slices.Contains(m.controllers, key) })
		if i < 0 {
			continue
		}
		if places := g.locate(g.members[i].group, key); places != nil {
			return hierarchy{unified: key == "", places: places}, true
		}
	}
	return hierarchy{}, false
}

// locate finds the places of group, in the mount that shows most of its ancestors. Mounts of other groups are ignored. The
// root of a mount from further above than the process's namespace is an ancestor, even though the way down from it is not
// known.
func (g groups) locate(group, controller string) []place {
	var own, above []place
	for _, m := range g.mounts {
		if !slices.Contains(m.controllers, controller) {
			continue
		}
		places := m.places(group)
		switch {
		case len(places) > 0 && !places[0].own:
			above = append(above, places...)
		case len(places) > 0 && (own == nil || g.exists(places[0]) && (len(places) > len(own) || !g.exists(own[0]))):
			own = places
		}
	}
	return append(own, above...)
}

func (g groups) exists(p place) bool {
	_, err := fs.Stat(g.files, p.dir)
	return err == nil
}

// maxLevels bounds the work for deeply nested groups.
const maxLevels = 64

// places returns group and its ancestors in m, nil if group is not below the root of m.
func (m mount) places(group string) []place {
	rootUp, rootDown, ok := splitGroup(m.root)
	up, down, ok2 := splitGroup(group)
	switch {
	case !ok || !ok2:
	case rootUp > up && len(rootDown) == 0:
		return []place{{group: m.root, dir: fsName(m.point)}}
	case rootUp == up && len(rootDown) <= len(down) && slices.Equal(rootDown, down[:len(rootDown)]):
		var places []place
		for n := len(down); n >= len(rootDown); n-- {
			if len(places) >= maxLevels {
				n = len(rootDown)
			}
			places = append(places, place{
				group: strings.Repeat("/..", up) + "/" + strings.Join(down[:n], "/"),
				dir:   path.Join(fsName(m.point), path.Join(down[len(rootDown):n]...)),
				own:   n == len(down),
			})
		}
		return places
	}
	return nil
}

// splitGroup splits the path of a group into the number of its leading ".." and the names after these.
func splitGroup(group string) (up int, down []string, ok bool) {
	for name := range strings.SplitSeq(group, "/") {
		switch {
		case name == "" || name == ".":
		case name != "..":
			down = append(down, name)
		case len(down) > 0:
			return 0, nil, false
		default:
			up++
		}
	}
	return up, down, true
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

// parseMounts parses the control groups in /proc/self/mountinfo, see proc_pid_mountinfo(5). A mount hides an earlier one at
// the same point.
func parseMounts(text string) []mount {
	var mounts []mount
	for line := range strings.Lines(text) {
		before, after, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		where, what := strings.Split(before, " "), strings.Split(after, " ")
		if len(where) < 5 || len(what) < 3 || !strings.HasPrefix(where[4], "/") {
			continue
		}
		m := mount{root: mountEscapes.Replace(where[3]), point: mountEscapes.Replace(where[4])}
		mounts = slices.DeleteFunc(mounts, func(hidden mount) bool { return hidden.point == m.point })
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
