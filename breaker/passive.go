package breaker

import (
	"sync/atomic"
	"time"
)

// Passive health checking: recent calls replace a run of the check. See Config.PassiveWindow.

// moment returns nanoseconds since Breaker.created, at least 1: 0 means never.
func (b *Breaker) moment() int64 { return max(1, int64(b.elapsed())) }

type passiveState struct {
	// lastGood is the time of a recent success that took at most PassiveWindow. Calls write it about ten times per
	// PassiveWindow, so that cores do not contend for its cache line.
	lastGood atomic.Int64
	// lastBad is the time of the last failure. Only failures write it.
	lastBad atomic.Int64
}

// recordSuccess records a success that ended now.
func (b *Breaker) recordSuccess(now, took time.Duration) {
	last, at := b.passive.lastGood.Load(), max(1, int64(now))
	if took <= b.cfg.PassiveWindow && (last == 0 || at-last > int64(b.cfg.PassiveWindow)/10) {
		b.passive.lastGood.Store(at)
	}
}

// passiveCheck is the state of one wrapped check.
type passiveCheck struct{ lastRun atomic.Int64 }

// markRun ends a run: only calls after it can satisfy the next one.
func (p *passiveCheck) markRun(b *Breaker) { p.lastRun.Store(b.moment()) }

// satisfied reports whether calls since the last run replace a run now. The first run is never replaced.
func (p *passiveCheck) satisfied(b *Breaker) bool {
	lastRun := p.lastRun.Load()
	if b.cfg.PassiveWindow == 0 || lastRun == 0 || State(b.word.Load()&stateFlags) != Closed {
		return false
	}
	recent := b.moment() - int64(b.cfg.PassiveWindow)
	good, bad := b.passive.lastGood.Load(), b.passive.lastBad.Load()
	return good > lastRun && good >= recent && (bad == 0 || bad < recent)
}
