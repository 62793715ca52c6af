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

// labels are the label pairs of one series. They are immutable.
type labels []*dto.LabelPair

// labelCache keeps the labels made for a key from one scrape to the next. It is safe for concurrent use.
type labelCache[K comparable, L any] struct {
	mu   sync.Mutex
	made map[K]L
}

// of returns what build returned for key.
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

// trim empties the cache when more than half of its keys are no longer used: checks and names are removed at run time.
func (c *labelCache[K, L]) trim(used int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.made) > 2*used {
		clear(c.made)
	}
}

// checkLabels are the labels of one check.
type checkLabels struct {
	check, service   labels
	states, statuses [checker.Critical + 1]labels
}

func newCheckLabels(name string) *checkLabels {
	l := &checkLabels{check: failuresFamily.with(name), service: durationFamily.with(name)}
	for status := range l.states {
		text := checker.Status(status).String()
		l.states[status] = checkStateFamily.with(name, text)
		l.statuses[status] = runsFamily.with(name, text)
	}
	return l
}

// breakerLabels are the labels of one breaker.
type breakerLabels struct {
	breaker labels
	states  [breaker.Open + 1]labels
	results [len(resultNames)]labels
}

// resultNames are the values of the label result; read-only.
var resultNames = [...]string{"failure", "neutral", "rejected", "success"}

func newBreakerLabels(name string) *breakerLabels {
	l := &breakerLabels{breaker: slowCallsFamily.with(name)}
	for state := range l.states {
		l.states[state] = breakerStateFamily.with(name, breaker.State(state).String())
	}
	for i, result := range resultNames {
		l.results[i] = breakerCallsFamily.with(name, result)
	}
	return l
}

// labelValue returns name as valid UTF-8: other bytes become \xff, and the backslash of a text that looks like such an
// escape becomes \x5c, so that different names stay different.
func labelValue(name string) string {
	if utf8.ValidString(name) && !strings.Contains(name, `\x`) {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRuneInString(name[i:])
		if r == utf8.RuneError && size == 1 || isEscape(name[i:]) {
			fmt.Fprintf(&b, `\x%02x`, name[i])
		} else {
			b.WriteString(name[i : i+size])
		}
		i += size
	}
	return b.String()
}

// isEscape reports whether text begins with an escape as labelValue writes it.
func isEscape(text string) bool {
	hex := func(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }
	return len(text) >= 4 && text[0] == '\\' && text[1] == 'x' && hex(text[2]) && hex(text[3])
}

// proberStateNames are the states of a servicer.Prober; read-only.
var proberStateNames = [...]string{"ok", "unknown", "stopped"}

// proberLabels are the labels of one prober.
type proberLabels struct {
	prober labels
	states [len(proberStateNames)]labels
}

func newProberLabels(key [3]string) *proberLabels {
	l := &proberLabels{prober: probesFamily.with(key[:]...)}
	for i, state := range proberStateNames {
		l.states[i] = probeStateFamily.with(append(key[:], state)...)
	}
	return l
}
