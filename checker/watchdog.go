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
// runs are in flight.
type watchdog struct {
	wakeup chan struct{}

	mu       sync.Mutex
	inFlight int
	lost     time.Duration // all waiting so far; grows only
	expected time.Time     // when the present tick should end; zero between ticks
}

func newWatchdog() *watchdog { return &watchdog{wakeup: make(chan struct{}, 1)} }

// begin counts a run and returns the waiting so far.
func (w *watchdog) begin(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inFlight++
	if w.inFlight == 1 {
		select {
		case w.wakeup <- struct{}{}:
		default:
		}
	}
	return w.lostLocked(now)
}

// end uncounts a run.
func (w *watchdog) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inFlight--
}

// total returns the waiting so far.
func (w *watchdog) total(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lostLocked(now)
}

// lostLocked includes the wait that is going on.
func (w *watchdog) lostLocked(now time.Time) time.Duration {
	if w.expected.IsZero() {
		return w.lost
	}
	return w.lost + max(0, now.Sub(w.expected))
}

func (w *watchdog) run(ctx context.Context) {
	timer := time.NewTimer(watchInterval)
	defer timer.Stop()
	defer w.forget()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wakeup:
		}
		for w.expect(time.Now().Add(watchInterval)) {
			timer.Reset(watchInterval)
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
			runtime.Gosched()
			w.arrive(time.Now())
		}
	}
}

// expect begins a tick and reports whether there is anything to watch.
func (w *watchdog) expect(end time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.inFlight == 0 {
		return false
	}
	w.expected = end
	return true
}

func (w *watchdog) arrive(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost += max(0, now.Sub(w.expected))
	w.expected = time.Time{}
}

// forget drops the tick that is going on.
func (w *watchdog) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expected = time.Time{}
}

// hiccup is more than a busy machine takes from a goroutine now and then.
const hiccup = 50 * time.Millisecond

// starving reports whether a run of the given length lost so much of it waiting for a CPU that its timeout proves
// nothing: half of it, and a hiccup at least.
func starving(lost, length time.Duration) bool { return lost >= max(length/2, hiccup) }
