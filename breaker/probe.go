package breaker

import (
	"context"
	"time"
)

// probe is the one call that a half-open breaker lets through. Its fields are guarded by the breaker's mu.
type probe struct {
	done func(error) // gobreaker's; called once
	// joined says that the probing call has made another one through the breaker, which will report.
	joined bool
	// confirmedIn is the epoch that an early success led to; 0 without one.
	confirmedIn uint64
}

// checkWait is how long ProbeOnly waits for a result of its check before it lets calls probe.
const checkWait = time.Minute

// admitProbe admits a call that cannot take the fast path, as the probe if it has to be one.
func (b *Breaker) admitProbe(check bool) (pass, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.sinceBirth()
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

// startProbe takes gobreaker's one half-open slot and begins the lease.
func (b *Breaker) startProbe(now time.Duration) (pass, bool) {
	done, err := b.machine.gate.Allow()
	if err != nil {
		return pass{}, false
	}
	b.probe = &probe{done: done}
	b.due = now + b.cfg.ProbeTimeout
	b.reflag()
	b.arm(now)
	return pass{epoch: b.epoch(), probe: b.probe}, true
}

// recordProbe ends the probe with the result of its call. It reports whether the call is still to be counted as an
// ordinary one, because the probe had been confirmed before.
func (b *Breaker) recordProbe(p pass, outcome Outcome, slow bool) bool {
	if p.probe.confirmedIn != 0 {
		return true
	}
	if p.nested || !p.probe.joined { // a check whose own call reports is not a second call
		b.late.count(outcome, slow)
	}
	switch {
	case b.probe != p.probe:
		return false
	case outcome == Neutral && p.nested:
		p.probe.joined = false
		return false
	case outcome == Neutral && p.probe.joined:
		return false // the joined call will tell
	case outcome == Success && slow:
		b.lastFailure.Store(&errTooSlow)
		outcome = Failure
	}
	b.endProbe(outcome)
	b.sync(b.sinceBirth())
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
	b.sync(b.sinceBirth())
	p.confirmedIn = b.epoch()
}

// endProbe settles the probe with gobreaker. After a neutral one the slot is free again.
func (b *Breaker) endProbe(outcome Outcome) {
	p := b.probe
	b.probe = nil
	b.machine.record(p.done, outcome, false)
	if outcome == Neutral {
		b.reflag()
		b.arm(b.sinceBirth())
	}
}

// awaitsCheck reports whether half-open is reserved for the attached check.
func (b *Breaker) awaitsCheck() bool {
	return b.cfg.ProbeOnly && b.checked.Load() && b.sinceBirth() < b.checkDeadline
}

// probeKey is the context key under which a breaker's probe travels into the calls that it makes. It names the breaker:
// such a call may pass through others whose probe it is as well.
type probeKey struct{ *Breaker }

// joinProbe admits a call that the probe itself makes: ctx was made for the probe under way.
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
