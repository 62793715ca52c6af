package checker

import (
	"container/heap"
	"time"
)

// nextStart returns when the run after the one that began at start is due: one interval later, shifted by up to the share
// jitter either way as draw, in [0, 1), selects, but not before now.
func nextStart(start, now time.Time, interval time.Duration, jitter, draw float64) time.Time {
	shift := time.Duration(float64(interval) * jitter * (2*draw - 1))
	due := start.Add(interval + shift)
	if due.Before(now) {
		return now
	}
	return due
}

// interval returns the time to the run after r. A dependency that is slow should not be called more often.
func (c *Check) interval(r *Result) time.Duration {
	if r.Status == Healthy || r.Reason == ReasonDegraded {
		return c.Interval
	}
	return c.FailingInterval
}

// minLifetime is longer than a process with little CPU time waits to run a check again.
const minLifetime = time.Second

// lifetime is the time from a result to its expiry.
func (c *Check) lifetime() time.Duration {
	if c.TTL > 0 {
		return c.TTL
	}
	return max(3*max(c.Interval, c.FailingInterval)+c.Timeout, minLifetime)
}

// timerHeap is a heap.Interface of entries, the one with the earliest wake time first.
type timerHeap []*entry

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].wake.Before(h[j].wake) }

func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].slot, h[j].slot = i, j
}

func (h *timerHeap) Push(x any) {
	e := x.(*entry)
	e.slot = len(*h)
	*h = append(*h, e)
}

func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	e.slot = -1
	return e
}

// set adds e, or moves it, to its place for wake.
func (h *timerHeap) set(e *entry, wake time.Time) {
	e.wake = wake
	if e.slot < 0 {
		heap.Push(h, e)
		return
	}
	heap.Fix(h, e.slot)
}

func (h *timerHeap) remove(e *entry) {
	if e.slot >= 0 {
		heap.Remove(h, e.slot)
	}
}
