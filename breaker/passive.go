package breaker

import (
	"sync/atomic"
	"time"
)

// What calls have just shown a check need not ask. Load balancers call that passive health checking.

// moment is nanoseconds since the breaker's birth; 0 is never.
type moment = atomic.Int64

func (b *Breaker) moment() int64 { return max(1, int64(b.sinceBirth())) }

// evidence is what calls have shown of late.
type evidence struct {
	// good is when a call last succeeded that took no longer than Config.Evidence. Calls write it, each tenth of that
	// time at most one or a few, so that it is no line for which all cores fight.
	good moment
	// bad is when a call last failed. Only failures write it.
	bad moment
}

// vouch is told of a success that took so long and ended now.
func (b *Breaker) vouch(now, took time.Duration) {
	last, at := b.evidence.good.Load(), max(1, int64(now))
	if took <= b.cfg.Evidence && (last == 0 || at-last > int64(b.cfg.Evidence)/10) {
		b.evidence.good.Store(at)
	}
}

// hearing is what one check remembers: when it last ran.
type hearing struct{ last moment }

// note is called at the end of each run, so that a check never takes its own word, or one that it has had before.
func (h *hearing) note(b *Breaker) { h.last.Store(b.moment()) }

// answered reports whether calls through the closed breaker have shown that the dependency works. A check that has never
// run asks.
func (h *hearing) answered(b *Breaker) bool {
	last := h.last.Load()
	if b.cfg.Evidence == 0 || last == 0 || State(b.word.Load()&stateFlags) != Closed {
		return false
	}
	recent := b.moment() - int64(b.cfg.Evidence)
	good, bad := b.evidence.good.Load(), b.evidence.bad.Load()
	return good > last && good >= recent && (bad == 0 || bad < recent)
}
