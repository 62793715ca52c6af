package probes

import (
	"strconv"
	"strings"
)

// format is one of the shapes of /health.
type format uint8

// The formats, in the order in which the server prefers them.
const (
	formatJSON format = iota
	formatHealth
	formatHTML
	formatEvents
	formats
)

var formatTypes = [formats][2]string{
	{"application", "json"}, {"application", "health+json"}, {"text", "html"}, {"text", "event-stream"},
}

// negotiate chooses the format that an Accept header asks for (RFC 9110, section 12.5.1): the best quality, each
// format judged by the most specific range that matches it, and of equals the first one in the server's order. Who
// accepts nothing that there is gets JSON all the same: the status code alone is worth the answer.
func negotiate(accept []string) format {
	if len(accept) == 0 || len(accept) == 1 && (accept[0] == "*/*" || accept[0] == typeJSON) {
		return formatJSON
	}
	var quality [formats]float64
	var specific [formats]int
	for _, line := range accept {
		for line != "" {
			var entry string
			entry, line, _ = strings.Cut(line, ",")
			weigh(entry, &quality, &specific)
		}
	}
	best := formatJSON
	for f := range formats {
		if quality[f] > quality[best] {
			best = f
		}
	}
	return best
}

// weigh applies one media range to every format that it matches.
func weigh(entry string, quality *[formats]float64, specific *[formats]int) {
	mediaRange, parameters, _ := strings.Cut(entry, ";")
	kind, sub, _ := strings.Cut(strings.TrimSpace(mediaRange), "/")
	q := qualityOf(parameters)
	for f := range formats {
		level := 0
		switch {
		case strings.EqualFold(kind, formatTypes[f][0]) && strings.EqualFold(sub, formatTypes[f][1]):
			level = 3
		case f == formatEvents:
			// An endless answer is given only to who names it.
		case strings.EqualFold(kind, formatTypes[f][0]) && sub == "*":
			level = 2
		case kind == "*" && sub == "*":
			level = 1
		}
		if level > specific[f] {
			specific[f], quality[f] = level, q
		}
	}
}

// qualityOf returns the q parameter, 1 if there is none, 0 if it cannot be read.
func qualityOf(parameters string) float64 {
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
