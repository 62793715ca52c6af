package breaker

import (
	"slices"
	"sync/atomic"
	"time"
)

// slots is the number of parts of the window.
const slots = 10

// window is a rolling view of counters that only grow: it keeps their values at the beginning of each slot and
// subtracts. Times are durations since Breaker.created.
type window struct {
	span time.Duration
	// starts, oldest first, is replaced as a whole under the breaker's mu. Readers take no lock.
	starts atomic.Pointer[[]slot]
}

// slot is the value of the counters at the beginning of a part of the window.
type slot struct {
	at    time.Duration
	calls Calls
}

// restart empties the window.
func (w *window) restart(now time.Duration, calls Calls) { w.starts.Store(&[]slot{{now, calls}}) }

// rotate begins a new slot if the current one is over, and drops those older than the window.
func (w *window) rotate(now time.Duration, calls Calls) {
	starts := *w.starts.Load()
	if now-starts[len(starts)-1].at < w.slotTime() {
		return
	}
	old := 0
	for old < len(starts) && starts[old].at < now-w.span {
		old++
	}
	rotated := append(slices.Clone(starts[old:]), slot{now, calls})
	w.starts.Store(&rotated)
}

// calls returns the calls since the oldest slot inside the window.
func (w *window) calls(now time.Duration, current Calls) Calls {
	for _, s := range *w.starts.Load() {
		if s.at >= now-w.span {
			return current.since(s.calls)
		}
	}
	return Calls{}
}

// idle reports whether a whole window has passed without a call.
func (w *window) idle(now time.Duration, current Calls) bool {
	oldest := (*w.starts.Load())[0]
	return now-oldest.at >= w.span-w.slotTime() && current == oldest.calls
}

func (w *window) slotTime() time.Duration { return w.span / slots }

// since subtracts. Counters are read one by one while calls end, so a difference may have to be raised to 0.
func (c Calls) since(earlier Calls) Calls {
	return Calls{
		Successes: max(c.Successes, earlier.Successes) - earlier.Successes,
		Failures:  max(c.Failures, earlier.Failures) - earlier.Failures,
		Neutral:   max(c.Neutral, earlier.Neutral) - earlier.Neutral,
		Slow:      max(c.Slow, earlier.Slow) - earlier.Slow,
		Rejected:  max(c.Rejected, earlier.Rejected) - earlier.Rejected,
	}
}
