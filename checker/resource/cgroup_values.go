package resource

import (
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

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

// parseCPUMax parses cpu.max of version 2, "quota period" or "max period", into a number of CPUs.
func parseCPUMax(text string) (float64, bool) {
	fields := strings.Fields(text)
	if len(fields) != 2 {
		return 0, false
	}
	return quota(fields[0], fields[1])
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
	const most = 1 << 16 // more than any kernel supports
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
		if count > most {
			return 0, false
		}
	}
	return count, true
}

// parsePressure parses one line ("some" or "full") of a pressure file into its average over a minute as a percentage, see
// the kernel's Documentation/accounting/psi.rst.
func parsePressure(text, line string) (float64, bool) {
	for l := range strings.Lines(text) {
		fields := strings.Fields(l)
		if len(fields) == 0 || fields[0] != line {
			continue
		}
		for _, field := range fields[1:] {
			value, ok := strings.CutPrefix(field, "avg60=")
			if !ok {
				continue
			}
			share, err := strconv.ParseFloat(value, 64)
			if err != nil || math.IsNaN(share) || share < 0 || share > 100 {
				return 0, false
			}
			return share, true
		}
	}
	return 0, false
}

// readNumber reads the number in a file of dir.
func readNumber(files fs.FS, dir, name string) (uint64, bool) {
	return parseNumber(readText(files, path.Join(dir, name)))
}
