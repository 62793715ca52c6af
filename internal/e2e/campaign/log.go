package main

import (
	"fmt"
	"regexp"
	"slices"
)

var checkLine = regexp.MustCompile(`vitals\.check=(\S+) vitals\.status=(\S+) vitals\.reason=\S+ vitals\.was=(\S+)`)

// beforeFirst is the status of a check that has not run yet.
func beforeFirst(check string) string {
	if check == database {
		return "unknown"
	}
	return "warning" // It is optional.
}

// logged compares what the server has logged about a check's transitions with its journal. The log is written behind
// the verdict, so the end of it may be missing for a moment. A first result that is healthy has no line.
func logged(lines []string, check string, journal []string) error {
	var course []string
	last := ""
	for _, line := range lines {
		m := checkLine.FindStringSubmatch(line)
		if m == nil || m[1] != check {
			continue
		}
		if last == "" && m[3] == "healthy" {
			course = []string{"healthy"}
		} else if last != "" && m[3] != last {
			return fmt.Errorf("the log lacks what made %s %s: %s", check, m[3], line)
		}
		if last = m[2]; m[2] != m[3] {
			course = append(course, m[2])
		}
	}
	if last == "" && len(journal) == 1 && journal[0] == "healthy" {
		return nil
	}
	if !slices.Equal(course, journal) {
		return fmt.Errorf("the log has seen %s become %v, the journal %v", check, course, journal)
	}
	return nil
}
