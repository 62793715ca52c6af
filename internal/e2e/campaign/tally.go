package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/vitals-go/vitals/internal/e2e/oracle"
)

// tally counts what a campaign has done and seen.
type tally struct {
	began    time.Time
	steps    int
	skipped  int
	excused  int
	late     int
	lives    int
	happened map[string]int // steps by what they did
	doors    map[string]int // verdicts compared, by door
	rounds   int            // of asking every endpoint
	delays   map[string]*delay
	worst    signs // the most that was seen in a calm world
	first    signs // what the server had when first calm, in the life that worst is from
}

// delay is how long the truth took to be told at every endpoint.
type delay struct {
	times    int
	sum, max time.Duration
	promise  promise
}

func newTally() *tally {
	return &tally{began: time.Now(), happened: map[string]int{}, doors: map[string]int{}, delays: map[string]*delay{}}
}

// what names a step without its details.
func what(s step) string {
	switch s.kind {
	case breakOne:
		return s.dependency + " " + string(s.fault)
	case mendOne:
		return s.dependency + " works again"
	}
	return string(s.kind)
}

func (t *tally) skip(step) { t.skipped++ }

func (t *tally) step(s step, p promise, took time.Duration, late bool) {
	if s.number > 0 {
		t.steps++
	}
	t.happened[what(s)]++
	if late {
		t.late++
	}
	d := t.delays[p.formula]
	if d == nil {
		d = &delay{promise: p}
		t.delays[p.formula] = d
	}
	d.times++
	d.sum, d.max = d.sum+took, max(d.max, took)
}

func (t *tally) asked(q *oracle.Comparison) {
	t.rounds++
	q.Counts(t.doors)
}

func (t *tally) signs(first, now signs) {
	if now.goroutines-first.goroutines+now.files-first.files >= t.worst.goroutines-t.first.goroutines+t.worst.files-t.first.files {
		t.first, t.worst = first, now
	}
}

// table writes rows in Markdown, below a head.
type table struct{ text *strings.Builder }

func (t table) row(cells ...any) {
	for _, cell := range cells {
		fmt.Fprintf(t.text, "| %v ", cell)
	}
	t.text.WriteString("|\n")
}

// summary is the whole campaign in Markdown.
func (t *tally) summary(seed uint64, u *users, wrong error) string {
	var text strings.Builder
	verdicts, failures := 0, 0
	for _, n := range t.doors {
		verdicts += n
	}
	if wrong != nil {
		failures = 1
	}
	fmt.Fprintf(&text, "## Fault campaign, seed %d\n\n", seed)
	row := table{&text}.row
	row("", "")
	row("---", "---:")
	row("steps", t.steps)
	row("steps left out: not possible on this machine", t.skipped)
	row("starts of the server", t.lives)
	row("rounds of comparisons", t.rounds)
	row("answers compared with the truth", verdicts)
	row("steps after which the truth was not told, or not only", failures)
	row("steps after which the truth came later than promised, and than half a second more", t.late)
	row("excuses because the machine stood still or was busy", t.excused)
	row("calls of users sent", u.sent.Load())
	row("of which the truth decided the result", u.judged.Load())
	row("of which lost, or failed slowly", u.total)
	row("vital signs when first calm", t.first)
	row("vital signs later, at most", t.worst)
	row("duration", time.Since(t.began).Round(time.Second))
	t.delayTable(table{&text})
	counts(table{&text}, "what happened", "times", t.happened)
	counts(table{&text}, "endpoint", "answers compared", t.doors)
	return text.String()
}

// delayTable compares how long the truth took with what is promised.
func (t *tally) delayTable(out table) {
	out.text.WriteString("\n")
	out.row("promise", "delay promised", "steps", "mean", "worst")
	out.row("---", "---:", "---:", "---:", "---:")
	for _, formula := range slices.Sorted(maps.Keys(t.delays)) {
		d := t.delays[formula]
		mean := d.sum / time.Duration(d.times)
		out.row(formula, d.promise.within, d.times, mean.Round(time.Millisecond), d.max.Round(time.Millisecond))
	}
}

func counts(out table, what, number string, all map[string]int) {
	out.text.WriteString("\n")
	out.row(what, number)
	out.row("---", "---:")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out.row(name, all[name])
	}
}
