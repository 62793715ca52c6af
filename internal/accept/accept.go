// Package accept parses Accept headers of HTTP.
package accept

import (
	"iter"
	"strconv"
	"strings"
)

// Entries yields the entries of an Accept, Accept-Encoding or similar header with their quality values (RFC 9110, section
// 12.4.2): 1 by default, 0 if invalid, which excludes the entry.
func Entries(lines []string) iter.Seq2[string, float64] {
	return func(yield func(string, float64) bool) {
		for _, line := range lines {
			for entry := range strings.SplitSeq(line, ",") {
				value, parameters, _ := strings.Cut(entry, ";")
				if !yield(strings.TrimSpace(value), quality(parameters)) {
					return
				}
			}
		}
	}
}

func quality(parameters string) float64 {
	for parameters != "" {
		var parameter string
		parameter, parameters, _ = strings.Cut(parameters, ";")
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		q, err := strconv.ParseFloat(value, 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}
