package promvitals

import (
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	dto "github.com/prometheus/client_model/go"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
)

// labels are those of one series, made once. They never change.
type labels struct {
	pairs []*dto.LabelPair
	text  string // see labelText
}

// labelCache keeps what was made of a name for the next scrape. Scrapes may share it.
type labelCache[K comparable, L any] struct {
	mu   sync.Mutex
	made map[K]L
}

// of returns what was made of key, or makes it.
func (c *labelCache[K, L]) of(key K, build func(K) L) L {
	c.mu.Lock()
	defer c.mu.Unlock()
	labels, found := c.made[key]
	if !found {
		if c.made == nil {
			c.made = map[K]L{}
		}
		labels = build(key)
		c.made[key] = labels
	}
	return labels
}

// trim forgets everything when more than half of it is of names that have gone: checks and names come and go at run
// time, and what they leave behind must not add up.
func (c *labelCache[K, L]) trim(alive int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.made) > 2*alive {
		clear(c.made)
	}
}

// checkLabels are the labels of one check.
type checkLabels struct {
	plain, service   *labels
	states, statuses [checker.Critical + 1]*labels
}

func newCheckLabels(name string) *checkLabels {
	l := &checkLabels{plain: failuresFamily.with(name), service: durationFamily.with(name)}
	for status := range l.states {
		word := checker.Status(status).String()
		l.states[status] = checkStateFamily.with(name, word)
		l.statuses[status] = runsFamily.with(name, word)
	}
	return l
}

// breakerLabels are the labels of one breaker.
type breakerLabels struct {
	plain   *labels
	states  [breaker.Open + 1]*labels
	results [len(resultNames)]*labels
}

// resultNames are the values of the label result; read-only.
var resultNames = [...]string{"failure", "neutral", "rejected", "success"}

func newBreakerLabels(name string) *breakerLabels {
	l := &breakerLabels{plain: slowCallsFamily.with(name)}
	for state := range l.states {
		l.states[state] = breakerStateFamily.with(name, breaker.State(state).String())
	}
	for i, result := range resultNames {
		l.results[i] = breakerCallsFamily.with(name, result)
	}
	return l
}

// labelValue returns a name as a label can show it. Bytes that are not UTF-8 are written as \xff: one odd name must not
// spoil the page, and two must not become one, so that a backslash which looks like the beginning of such an escape is
// written as \x5c. What else is odd the formats escape themselves.
func labelValue(name string) string {
	if utf8.ValidString(name) && !strings.Contains(name, `\x`) {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRuneInString(name[i:])
		if r == utf8.RuneError && size == 1 || escape(name[i:]) {
			fmt.Fprintf(&b, `\x%02x`, name[i])
		} else {
			b.WriteString(name[i : i+size])
		}
		i += size
	}
	return b.String()
}

// escape reports whether text begins as an escape of labelValue does.
func escape(text string) bool {
	hex := func(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }
	return len(text) >= 4 && text[0] == '\\' && text[1] == 'x' && hex(text[2]) && hex(text[3])
}
