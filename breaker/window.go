package breaker

import (
	"slices"
	"sync/atomic"
	"time"
)

// slots is into how many parts the window is divided.
const slots = 10

// window is a rolling view of counters that only grow: it remembers what they were at the beginning of each slot,
// and subtracts. Calls do not know of it. Times are durations since the breaker's birth.
type window struct {
	span time.Duration
	// marks, oldest first, are replaced as a whole under the breaker's mu. Readers take no lock.
	marks atomic.Pointer[[]slot]
}

type slot struct {
	at    time.Duration
	calls Calls
}

// restart forgets everything before now.
func (w *window) restart(now time.Duration, calls Calls) { w.marks.Store(&[]slot{{now, calls}}) }

// rotate begins a new slot if the current one is over, and forgets the marks that are older than the window.
func (w *window) rotate(now time.Duration, calls Calls) {
	marks := *w.marks.Load()
	if now-marks[len(marks)-1].at < w.slot() {
		return
	}
	old := 0
	for old < len(marks) && marks[old].at < now-w.span {
		old++
	}
	turned := append(slices.Clone(marks[old:]), slot{now, calls})
	w.marks.Store(&turned)
}

// calls returns what happened since the oldest mark that is inside the window.
func (w *window) calls(now time.Duration, current Calls) Calls {
	for _, m := range *w.marks.Load() {
		if m.at >= now-w.span {
			return current.since(m.calls)
		}
	}
	return Calls{}
}

// idle reports whether the whole window has passed without a call.
func (w *window) idle(now time.Duration, current Calls) bool {
	oldest := (*w.marks.Load())[0]
	return now-oldest.at >= w.span-w.slot() && current == oldest.calls
}

func (w *window) slot() time.Duration { return w.span / slots }

// since subtracts. Counters are read one by one while calls go on, hence the floor.
func (c Calls) since(earlier Calls) Calls {
	return Calls{
		Successes: floor(c.Successes, earlier.Successes),
		Failures:  floor(c.Failures, earlier.Failures),
		Neutral:   floor(c.Neutral, earlier.Neutral),
		Slow:      floor(c.Slow, earlier.Slow),
		Rejected:  floor(c.Rejected, earlier.Rejected),
	}
}

func floor(now, earlier uint64) uint64 { return max(now, earlier) - earlier }

func (c Calls) plus(other Calls) Calls {
	c.Successes += other.Successes
	c.Failures += other.Failures
	c.Neutral += other.Neutral
	c.Slow += other.Slow
	c.Rejected += other.Rejected
	return c
}
