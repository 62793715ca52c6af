package probes

import (
	"net/url"

	"github.com/vitals-go/vitals/probes/internal/response"
)

// maxQuery bounds a query, in bytes.
const maxQuery = 4096

// query holds the parameters of a request. Unknown and malformed ones are ignored: a typing error must not fail a probe.
type query struct {
	strict   bool
	verbose  bool
	exclude  []string // without duplicates, in the order of the request
	excluded set
	format   string
}

// set is a set of names.
type set map[string]struct{}

func (s set) add(name string) { s[name] = struct{}{} }

func (s set) has(name string) bool {
	_, found := s[name]
	return found
}

func parseQuery(raw string) query {
	if raw == "" {
		return query{}
	}
	values, _ := url.ParseQuery(raw) // keeps what is well-formed
	q := query{
		strict:   response.Switch(values, "strict"),
		verbose:  response.Switch(values, "verbose"),
		excluded: make(set),
		format:   values.Get("format"),
	}
	for _, name := range values["exclude"] {
		if !q.excludes(name) {
			q.excluded.add(name)
			q.exclude = append(q.exclude, name)
		}
	}
	return q
}

func (q query) excludes(name string) bool { return q.excluded.has(name) }
