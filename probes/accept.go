package probes

import (
	"iter"
	"strconv"
	"strings"
)

// acceptEntries yields the entries of an Accept header with their quality (RFC 9110, section 12.4.2): 1 if it is not given,
// 0, which excludes the entry, if it is malformed.
func acceptEntries(lines []string) iter.Seq2[string, float64] {
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
