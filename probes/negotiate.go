package probes

import (
	"strings"

	"github.com/vitals-go/vitals/internal/accept"
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
func negotiate(header []string) format {
	if len(header) == 0 || len(header) == 1 && (header[0] == "*/*" || header[0] == typeJSON) {
		return formatJSON
	}
	var quality [formats]float64
	var specific [formats]int
	for mediaRange, q := range accept.Entries(header) {
		weigh(mediaRange, q, &quality, &specific)
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
func weigh(mediaRange string, q float64, quality *[formats]float64, specific *[formats]int) {
	kind, sub, _ := strings.Cut(mediaRange, "/")
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
