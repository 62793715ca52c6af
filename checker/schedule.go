package checker

import (
	"container/heap"
	"time"
)

// nextStart returns when the run after the one that began at start is due: one interval later, spread by up to the
// share jitter either way as draw, in [0, 1), says, but not before now.
func nextStart(start, now time.Time, interval time.Duration, jitter, draw float64) time.Time {
	spread := time.Duration(float64(interval) * jitter * (2*draw - 1))
	due := start.Add(interval + spread)
	if due.Before(now) {
		return now
	}
	return due
}

// interval returns the time to the next run of a check whose status is s.
func (c *Check) interval(s Status) time.Duration {
	if s == Healthy {
		return c.Interval
	}
	return c.FailingInterval
}

// lifetime is how long a result is believed.
func (c *Check) lifetime() time.Duration { return 3*max(c.Interval, c.FailingInterval) + c.Timeout }

// timerHeap is a heap of entries, the one with the earliest wake time first. It implements heap.Interface.
type timerHeap []*entry

func (a timerHeap) Len() int           { return len(a) }
func (a timerHeap) Less(i, j int) bool { return a[i].wake.Before(a[j].wake) }

func (a timerHeap) Swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].slot, a[j].slot = i, j
}

func (a *timerHeap) Push(x any) {
	e := x.(*entry)
	e.slot = len(*a)
	*a = append(*a, e)
}

func (a *timerHeap) Pop() any {
	last := len(*a) - 1
	e := (*a)[last]
	(*a)[last] = nil
	*a = (*a)[:last]
	e.slot = -1
	return e
}

// set puts e where its wake time belongs.
func (a *timerHeap) set(e *entry, wake time.Time) {
	e.wake = wake
	if e.slot < 0 {
		heap.Push(a, e)
		return
	}
	heap.Fix(a, e.slot)
}

func (a *timerHeap) drop(e *entry) {
	if e.slot >= 0 {
		heap.Remove(a, e.slot)
	}
}
