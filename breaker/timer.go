package breaker

import "time"

// A breaker has one timer. While closed, it rotates the window until a whole window has passed without a call; while
// open, it ends the open time; while half-open, it ends MaxCallTime or the wait for the check. onTimer decides by the
// clock, so that a late or needless run is harmless.

// setTimer schedules onTimer. The caller holds mu.
func (b *Breaker) setTimer(now time.Duration) {
	next, set := b.nextTimer(now)
	switch {
	case set && b.timer != nil:
		b.timer.Reset(next)
	case set:
		b.timer = time.AfterFunc(next, b.onTimer)
	case b.timer != nil:
		b.timer.Stop()
	}
}

func (b *Breaker) nextTimer(now time.Duration) (time.Duration, bool) {
	switch {
	case b.current.State == Closed:
		return b.window.slotTime(), !b.idle()
	case b.current.Forced:
		return 0, false
	case b.current.State == Open, b.probe != nil:
		return b.due - now, true
	case b.awaitsCheck():
		return b.checkDeadline - now, true
	default:
		return 0, false
	}
}

func (b *Breaker) onTimer() {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.elapsed()
	before := b.epoch()
	b.advance(now)
	if b.epoch() != before {
		return // the transition has set the timer
	}
	switch {
	case b.current.State == HalfOpen && b.probe == nil:
		b.storeFlags() // the check did not run in time: calls may probe
	case b.current.State == Closed && b.window.idle(now, b.stripes.sum()):
		b.storeFlags() // idle
		b.idleSince = now
	}
	b.setTimer(now)
}

// unused reports whether a breaker has been idle for d and has nothing to remember.
func (b *Breaker) unused(d time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.elapsed()
	return b.idle() && b.current.State == Closed && !b.current.Forced && !b.checked.Load() && !b.relapses(now) && now-b.idleSince >= d
}

// resume restarts the window of an idle breaker. The caller holds mu.
func (b *Breaker) resume(now time.Duration) {
	if !b.idle() {
		return
	}
	b.window.restart(now, b.stripes.sum())
	b.word.Store(b.word.Load() &^ idle)
	b.setTimer(now)
}
