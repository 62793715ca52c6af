package checker

import (
	"context"
	"runtime"
	"sync"
	"time"
)

const watchInterval = 100 * time.Millisecond

// watchdog measures how long the process keeps a goroutine waiting for a CPU: by how much a timer overshoots, plus
// one round through the scheduler's global queue, where goroutines woken by the network wait too. It ticks only while
// runs are in flight: checks that answer at once cost it no wake-up at all.
type watchdog struct {
	mu       sync.Mutex
	timer    *time.Timer // stands while nothing is in flight
	inFlight int
	lost     time.Duration // all waiting so far; grows only
	expected time.Time     // when the timer should go off; zero while it stands
}

// start makes it ready for a session. It is called before begin and run.
func (w *watchdog) start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.NewTimer(watchInterval)
	w.timer.Stop()
}

// run listens to the timer until ctx ends.
func (w *watchdog) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.timer.C:
		}
		runtime.Gosched()
		w.arrive(time.Now())
	}
}

// begin counts a run and returns the waiting so far.
func (w *watchdog) begin(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inFlight++
	if w.inFlight == 1 {
		w.expect(now)
	}
	return w.waited(now)
}

// end uncounts a run. What is being lost while nothing is in flight is nobody's loss.
func (w *watchdog) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inFlight--
	if w.inFlight == 0 {
		w.expected = time.Time{}
		w.timer.Stop()
	}
}

// total returns the waiting so far.
func (w *watchdog) total(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.waited(now)
}

// waited is total under mu. It includes the wait that is going on.
func (w *watchdog) waited(now time.Time) time.Duration {
	if w.expected.IsZero() {
		return w.lost
	}
	return w.lost + max(0, now.Sub(w.expected))
}

// arrive ends a tick and begins the next one, unless the last run has ended meanwhile.
func (w *watchdog) arrive(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = w.waited(now)
	if w.inFlight > 0 {
		w.expect(now)
	}
}

// expect begins a tick. It is called under mu.
func (w *watchdog) expect(now time.Time) {
	w.expected = now.Add(watchInterval)
	w.timer.Reset(watchInterval)
}

// hiccup is more than a busy machine takes from a goroutine now and then.
const hiccup = 50 * time.Millisecond

// starving reports whether a run of the given length lost so much of it waiting for a CPU that its timeout proves
// nothing: half of it, and a hiccup at least.
func starving(lost, length time.Duration) bool { return lost >= max(length/2, hiccup) }
