package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// tally counts calls: those since the last look and all. Its zero value is ready for use, by many at once.
type tally struct {
	mu    sync.Mutex // guards all below
	since counts
	all   counts
}

// counts are calls by their outcome. Latencies are kept for the calls since the last look only.
type counts struct {
	calls, skipped int
	codes          map[codes.Code]int // errors only
	latencies      []time.Duration
}

func (t *tally) add(latency time.Duration, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range []*counts{&t.since, &t.all} {
		c.calls++
		if err != nil {
			if c.codes == nil {
				c.codes = map[codes.Code]int{}
			}
			c.codes[status.Code(err)]++
		}
	}
	t.since.latencies = append(t.since.latencies, latency)
}

func (t *tally) skip() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.since.skipped++
	t.all.skipped++
}

// look returns what has been counted since the last look.
func (t *tally) look() counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	since := t.since
	t.since = counts{}
	return since
}

func (t *tally) summary() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return fmt.Sprintf("%d calls, %s", t.all.calls, t.all.errors())
}

// onPurpose are the codes of calls that are meant to fail: for items that do not exist, and invalid ones.
var onPurpose = []codes.Code{codes.NotFound, codes.InvalidArgument}

// errors counts the calls that failed on purpose, lists the codes of those that failed otherwise, and counts the calls that
// could not be made.
func (c counts) errors() string {
	var parts []string
	meant, others := 0, 0
	for _, code := range slices.Sorted(maps.Keys(c.codes)) {
		if slices.Contains(onPurpose, code) {
			meant += c.codes[code]
			continue
		}
		parts = append(parts, fmt.Sprintf("%v %d", code, c.codes[code]))
		others += c.codes[code]
	}
	text := fmt.Sprintf("%d errors, %d failed on purpose", others, meant)
	if others > 0 {
		text = fmt.Sprintf("%d errors (%s), %d failed on purpose", others, strings.Join(parts, ", "), meant)
	}
	if c.skipped > 0 {
		text += fmt.Sprintf(", %d not sent: all workers were busy", c.skipped)
	}
	return text
}

// quantile returns the latency that a share of the calls did not exceed; 0 without calls.
func (c counts) quantile(share float64) time.Duration {
	if len(c.latencies) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(c.latencies))
	return sorted[max(0, int(math.Ceil(share*float64(len(sorted))))-1)]
}
