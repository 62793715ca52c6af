package probes

import (
	"mime"
	"net/url"
	"strconv"
	"strings"

	"github.com/vitals-go/vitals/probes/internal/response"
)

// maxQuery bounds a query, in bytes.
const maxQuery = 4096

// query holds the parameters of a request. Unknown and malformed ones are ignored: a typing error must not fail a probe.
type query struct {
	strict   bool
	verbose  bool
	excluded map[string]bool
	format   string
	file     bool // a file of the status page
}

func parseQuery(raw string) query {
	if raw == "" {
		return query{}
	}
	values, _ := url.ParseQuery(raw) // keeps what is well-formed
	q := query{
		strict:   response.Switch(values, "strict"),
		verbose:  response.Switch(values, "verbose"),
		excluded: make(map[string]bool),
		format:   values.Get("format"),
		file:     values.Has("file"),
	}
	for _, name := range values["exclude"] {
		q.excluded[name] = true
	}
	return q
}

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

var formatTypes = [formats]string{typeJSON, typeHealth, "text/html", "text/event-stream"}

// formatOf returns the format that ?format or else the Accept header selects.
func formatOf(q query, accept []string) format {
	if q.file {
		return formatHTML
	}
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
func negotiate(accept []string) format {
	if len(accept) == 0 || len(accept) == 1 && (accept[0] == "*/*" || accept[0] == typeJSON) {
		return formatJSON
	}
	var quality [formats]float64
	var specific [formats]int
	for entry := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		mediaRange, q := parseEntry(entry)
		for f := range formats {
			if level := match(f, mediaRange); level > specific[f] {
				specific[f], quality[f] = level, q
			}
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

// match returns how specific a media range is for a format, 0 if it does not match. A stream never ends: only its exact type
// selects it.
func match(f format, mediaRange string) int {
	kind, _, _ := strings.Cut(formatTypes[f], "/")
	switch {
	case mediaRange == formatTypes[f]:
		return 3
	case mediaRange == kind+"/*" && f != formatEvents:
		return 2
	case mediaRange == "*/*" && f != formatEvents:
		return 1
	default:
		return 0
	}
}

// parseEntry returns the media range of an entry of an Accept header with its quality (RFC 9110, section 12.4.2): 1 if it
// is not given, 0, which excludes the range, if it is malformed.
func parseEntry(entry string) (mediaRange string, quality float64) {
	mediaRange, parameters, err := mime.ParseMediaType(entry)
	if err != nil && mediaRange == "" {
		return "", 0
	}
	given, found := parameters["q"]
	if !found && err == nil {
		return mediaRange, 1
	}
	q, err := strconv.ParseFloat(given, 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return mediaRange, 0
	}
	return mediaRange, q
}
