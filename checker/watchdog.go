package checker

import (
	"runtime"
	"sync"
	"time"
)

const watchInterval = 100 * time.Millisecond

// watchdog measures how long the process keeps a goroutine waiting for a CPU: by how much a timer is late, plus one pass
// through the scheduler's global queue, where goroutines woken by the network wait too. Its timer is armed only while runs
// are in flight, and has a goroutine only while it fires.
type watchdog struct {
	mu       *sync.Mutex // Checker.mu, which all methods require
	timer    *time.Timer // stopped while nothing is in flight
	inFlight int
	lost     time.Duration // total of all waiting; never decreases
	expected time.Time     // when the timer should fire; zero while it is stopped
}

// begin counts a run and returns the total.
func (w *watchdog) begin(now time.Time) time.Duration {
	w.inFlight++
	if w.inFlight == 1 {
		w.arm(now)
	}
	return w.total(now)
}

// end uncounts a run.
func (w *watchdog) end() {
	w.inFlight--
	if w.inFlight == 0 {
		w.expected = time.Time{}
		w.timer.Stop()
	}
}

// total returns how long goroutines have waited while runs were in flight, including a wait that is not over.
func (w *watchdog) total(now time.Time) time.Duration {
	if w.expected.IsZero() {
		return w.lost
	}
	return w.lost + max(0, now.Sub(w.expected))
}

func (w *watchdog) arm(now time.Time) {
	w.expected = now.Add(watchInterval)
	if w.timer != nil {
		w.timer.Reset(watchInterval)
		return
	}
	w.timer = time.AfterFunc(watchInterval, func() {
		runtime.Gosched()
		now := time.Now()
		w.mu.Lock()
		defer w.mu.Unlock()
		w.fire(now)
	})
}

func (w *watchdog) fire(now time.Time) {
	w.lost = w.total(now)
	if w.inFlight > 0 {
		w.arm(now)
	}
}

// minStarvation is longer than a goroutine waits on a busy machine now and then.
const minStarvation = 50 * time.Millisecond

// starving reports whether a run of the given length waited for a CPU so long that its timeout proves nothing.
func starving(lost, length time.Duration) bool { return lost >= max(length/2, minStarvation) }
