package probes

import "strings"

// format is a representation of /health.
type format uint8

// The formats, in the server's order of preference.
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

// formatOf returns the format that ?format or else the Accept header selects.
func formatOf(q query, accept []string) format {
	switch q.format {
	case "json":
		return formatJSON
	case "health":
		return formatHealth
	case "html":
		return formatHTML
	default:
		return negotiate(accept)
	}
}

// negotiate returns the format with the best quality (RFC 9110, section 12.5.1), each taken from the most specific range
// that matches, the server's first among equals. If none is acceptable it is JSON: a probe needs the status code.
func negotiate(header []string) format {
	if len(header) == 0 || len(header) == 1 && (header[0] == "*/*" || header[0] == typeJSON) {
		return formatJSON
	}
	var quality [formats]float64
	var specific [formats]int
	for mediaRange, q := range acceptEntries(header) {
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
			// A stream never ends: only its exact type selects it.
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
