package probes

import (
	"net/url"
	"slices"
)

// maxQuery bounds a query, in bytes. What is longer is no probe.
const maxQuery = 4096

// query is what a request may ask for beside its path. Pairs that nobody knows or that cannot be parsed are ignored:
// a probe must not fail over a typing error in what only decorates it.
type query struct {
	strict  bool
	verbose bool
	exclude []string // each once, in the order of the request
	without set
	format  string
}

// set is a set of names: what a stranger lists is looked up for every check that there is.
type set map[string]struct{}

func (s set) have(name string) bool {
	_, there := s[name]
	return there
}

func parseQuery(raw string) query {
	if raw == "" {
		return query{}
	}
	// The values that could be read are kept when others could not.
	values, _ := url.ParseQuery(raw)
	q := query{
		strict:  on(values, "strict"),
		verbose: on(values, "verbose"),
		without: make(set),
		format:  values.Get("format"),
	}
	for _, name := range values["exclude"] {
		if !q.without.have(name) {
			q.without[name] = struct{}{}
			q.exclude = append(q.exclude, name)
		}
	}
	return q
}

// on reports whether a switch is there and not turned off.
func on(values url.Values, name string) bool {
	given, there := values[name]
	return there && !slices.Contains([]string{"0", "false", "no"}, given[0])
}

func (q query) excludes(name string) bool { return q.without.have(name) }
