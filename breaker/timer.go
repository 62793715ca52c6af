package breaker

import "time"

// The alarm is the one timer of a breaker. In closed it turns the window and falls asleep with the traffic; in open it
// announces half-open; in half-open it ends the probe's lease, or the wait for a check. It may ring late or once too
// often: ring looks at the clock, not at why it was set.

// arm sets the alarm for what comes next. The caller holds mu.
func (b *Breaker) arm(now time.Duration) {
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
		return b.window.slot(), !b.idle()
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

// onTimer does what is due.
func (b *Breaker) onTimer() {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.sinceBirth()
	before := b.epoch()
	b.advance(now)
	if b.epoch() != before {
		return // entering the new state has set the alarm
	}
	switch {
	case b.current.State == HalfOpen && b.probe == nil:
		b.reflag() // the check has not come: let calls probe
	case b.current.State == Closed && b.window.idle(now, b.stripes.sum()):
		b.reflag() // asleep again
	}
	b.arm(now)
}

// resume starts the window that had stopped for want of calls. The caller holds mu.
func (b *Breaker) resume(now time.Duration) {
	if !b.idle() {
		return
	}
	b.window.restart(now, b.stripes.sum())
	b.word.Store(b.word.Load() &^ idle)
	b.arm(now)
}
