package breaker

import (
	"sync/atomic"
	"time"
)

// What calls have just shown a check need not ask. Load balancers call that passive health checking.

// moment is nanoseconds since the breaker's birth; 0 is never.
type moment = atomic.Int64

func (b *Breaker) moment() int64 { return max(1, int64(b.sinceBirth())) }

// passiveState is what calls have shown of late.
type passiveState struct {
	// lastGood is when a call last succeeded that took no longer than Config.PassiveWindow. Calls write it, each tenth of that
	// time at most one or a few, so that it is no line for which all cores fight.
	lastGood moment
	// lastBad is when a call last failed. Only failures write it.
	lastBad moment
}

// recordSuccess is told of a success that took so long and ended now.
func (b *Breaker) recordSuccess(now, took time.Duration) {
	last, at := b.passive.lastGood.Load(), max(1, int64(now))
	if took <= b.cfg.PassiveWindow && (last == 0 || at-last > int64(b.cfg.PassiveWindow)/10) {
		b.passive.lastGood.Store(at)
	}
}

// passiveCheck is what one check remembers: when it last ran.
type passiveCheck struct{ last moment }

// markRun is called at the end of each run, so that a check never takes its own word, or one that it has had before.
func (h *passiveCheck) markRun(b *Breaker) { h.last.Store(b.moment()) }

// satisfied reports whether calls through the closed breaker have shown that the dependency works. A check that has never
// run asks.
func (h *passiveCheck) satisfied(b *Breaker) bool {
	last := h.last.Load()
	if b.cfg.PassiveWindow == 0 || last == 0 || State(b.word.Load()&stateFlags) != Closed {
		return false
	}
	recent := b.moment() - int64(b.cfg.PassiveWindow)
	good, bad := b.passive.lastGood.Load(), b.passive.lastBad.Load()
	return good > last && good >= recent && (bad == 0 || bad < recent)
}
