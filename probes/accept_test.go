package probes

import "testing"

func TestAcceptEntries(t *testing.T) {
	t.Parallel()
	type parsed struct {
		mediaRange string
		quality    float64
	}
	for entry, want := range map[string]parsed{
		"text/html":                      {"text/html", 1},
		" */*;q=0.8":                     {"*/*", 0.8},
		"TEXT/* ; Q=0.5":                 {"text/*", 0.5},
		"text/plain;version=0.0.4;q=0.3": {"text/plain", 0.3},
		"text/plain;version=1":           {"text/plain", 1},
		"a/b;q=2":                        {"a/b", 0},
		"a/b;q=-1":                       {"a/b", 0},
		"a/b;q=x":                        {"a/b", 0},
		"a/b;q=NaN":                      {"a/b", 0},
		"a/b;q=":                         {"a/b", 0},
		"":                               {"", 0},
	} {
		mediaRange, quality := parseEntry(entry)
		if got := (parsed{mediaRange, quality}); got != want {
			t.Errorf("%q: %v, want %v", entry, got, want)
		}
	}
}
