package breaker

import (
	"context"
	"time"
)

// probe is the one call that a half-open breaker allows. Its fields are guarded by the breaker's mu.
type probe struct {
	done func(error) // gobreaker's; called once
	// joined: the probing call has made another one through the breaker, which will be recorded.
	joined bool
	// confirmedIn is the epoch that Confirm led to; 0 without one.
	confirmedIn uint64
}

// checkWait is how long a half-open breaker with ProbeOnly waits for a result of the check.
const checkWait = time.Minute

// allowLocked allows a call under mu, as the probe if half-open needs one.
func (b *Breaker) allowLocked(check bool) (pass, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.elapsed()
	b.advance(now)
	ordinary := pass{epoch: b.epoch()}
	switch {
	case b.current.State == Closed:
		b.resume(now)
		return ordinary, true
	case b.current.Forced:
		return ordinary, false
	case b.current.State == HalfOpen && b.probe == nil && (check || b.cfg.ObserveOnly || !b.awaitsCheck()):
		return b.startProbe(now)
	default:
		return ordinary, b.cfg.ObserveOnly
	}
}

// startProbe takes gobreaker's one half-open slot and begins MaxCallTime.
func (b *Breaker) startProbe(now time.Duration) (pass, bool) {
	done, err := b.machine.twoStep.Allow()
	if err != nil {
		return pass{}, false
	}
	b.probe = &probe{done: done}
	b.due = now + b.cfg.MaxCallTime
	b.storeFlags()
	b.setTimer(now)
	return pass{epoch: b.epoch(), probe: b.probe}, true
}

// recordProbe ends the probe. It reports whether the call still counts as an ordinary one: the probe was confirmed.
func (b *Breaker) recordProbe(p pass, outcome Outcome, slow bool) bool {
	if p.probe.confirmedIn != 0 {
		return true
	}
	if p.nested || !p.probe.joined { // a check and its joined call are one call
		b.late.count(outcome, slow)
	}
	switch {
	case b.probe != p.probe:
		return false
	case outcome == Neutral && p.nested:
		p.probe.joined = false
		return false
	case outcome == Neutral && p.probe.joined:
		return false // the joined call ends the probe
	case outcome == Success && slow:
		b.lastFailure.Store(&errTooSlow)
		outcome = Failure
	}
	b.endProbe(outcome)
	b.sync(b.elapsed())
	return false
}

// confirm ends the probe with success before its call is over.
func (b *Breaker) confirm(p *probe) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.probe != p {
		return
	}
	b.endProbe(Success)
	b.sync(b.elapsed())
	p.confirmedIn = b.epoch()
}

// endProbe reports the outcome to gobreaker. Where the breaker remains half-open, another call may probe.
func (b *Breaker) endProbe(outcome Outcome) {
	p := b.probe
	b.probe = nil
	b.machine.record(p.done, outcome, false)
	if b.machine.current() == HalfOpen {
		b.storeFlags()
		b.setTimer(b.elapsed())
	}
}

// awaitsCheck reports whether only the attached check may probe.
func (b *Breaker) awaitsCheck() bool {
	return b.cfg.ProbeOnly && b.checked.Load() && b.elapsed() < b.checkDeadline
}

// probeKey is the context key of the probe in flight, per breaker: a call may be the probe of several.
type probeKey struct{ *Breaker }

// joinProbe allows a call made with the context of the probe in flight.
func (b *Breaker) joinProbe(ctx context.Context) (pass, bool) {
	mine, _ := ctx.Value(probeKey{b}).(*probe)
	if mine == nil {
		return pass{}, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.probe != mine {
		return pass{}, false
	}
	mine.joined = true
	return pass{epoch: b.epoch(), probe: mine, nested: true}, true
}
