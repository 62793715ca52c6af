package breaker

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// Permit is the right to make one call, and the duty to say how it ended. It belongs to one call; do not copy it
// after its first use. The zero Permit settles nothing.
type Permit struct {
	b     *Breaker
	ctx   context.Context
	pass  pass
	began time.Duration // only if calls are timed
	// expired permits were granted to a context that had already ended.
	expired bool
	// untimed calls are never slow.
	untimed bool
	done    atomic.Bool
}

// pass says by what right a call was admitted.
type pass struct {
	epoch uint64 // the state that admitted it
	probe *probe // the half-open probe that it is, or is part of
	// nested calls are made by the call that holds the probe.
	nested bool
}

// Allow asks to call the dependency. It returns a Permit, which must be settled exactly once, or a rejection, which
// is an *OpenError. It never blocks. Most callers want Do instead; Allow is for calls whose end is learnt elsewhere.
//
// A call of which the caller lets go without settling is not counted, unless it is the half-open probe: then it has
// failed when the lease ends.
func (b *Breaker) Allow(ctx context.Context) (Permit, error) {
	word := b.word.Load()
	pass := pass{epoch: word >> epochShift}
	expired := ctx.Err() != nil
	if word&slowPath != 0 {
		var ok bool
		if pass, ok = b.allowSlow(ctx, word, expired); !ok {
			return Permit{}, b.reject()
		}
	}
	return Permit{b: b, ctx: ctx, pass: pass, began: b.stopwatch(), expired: expired}, nil
}

// stopwatch reads the clock only if it matters how long calls take.
func (b *Breaker) stopwatch() time.Duration {
	if !b.cfg.timed() {
		return 0
	}
	return b.sinceBirth()
}

func (c *Config) timed() bool { return c.SlowCall|c.PassiveWindow != 0 }

func (b *Breaker) allowSlow(ctx context.Context, word uint64, expired bool) (pass, bool) {
	state := State(word & stateFlags)
	switch {
	case word&probing != 0:
		return b.joinProbe(ctx)
	case word&turningAway != 0:
		return pass{}, false
	case expired, state == Open: // must not take the probe; an observer judges nothing while it is open
		return pass{epoch: word >> epochShift}, true
	default:
		return b.admitProbe(false)
	}
}

// reject counts the call and returns the shared rejection.
func (b *Breaker) reject() *OpenError {
	b.stripes.mine().rejected.Add(1)
	return b.rejection.Load()
}

// Done reports how the call ended: err is classified by Config.Classify, unless the permit's context says that the
// caller gave up or came too late. Only the first settlement of a permit counts.
func (p *Permit) Done(err error) {
	if p.b != nil && !p.done.Load() {
		p.Record(p.classify(err), err)
	}
}

// Record reports the outcome of a call that Config.Classify cannot judge: an adapter knows its protocol better. What
// the caller brought about stays Neutral: a failure after it gave up, and whatever came of a call that it made too
// late. Cause is kept as the reason of a failure. Only the first settlement of a permit counts.
func (p *Permit) Record(outcome Outcome, cause error) {
	if p.b == nil || p.done.Swap(true) {
		return
	}
	if p.expired || outcome == Failure && p.abandoned() {
		outcome = Neutral
	}
	p.b.record(p, outcome, cause)
}

// Probe reports whether the call is the half-open probe or part of it.
func (p *Permit) Probe() bool { return p.pass.probe != nil }

// Untimed says that how long the call takes says nothing about the dependency, as with a stream, which lasts as long as
// its user wants: it will not be slow (Config.SlowCall). Call it before the call begins.
func (p *Permit) Untimed() { p.untimed = true }

// Confirm reports that the dependency has answered although the call goes on: the first message of a stream. It ends
// a half-open probe with success, so that one long call does not hold up all others; how the call ends then counts
// like any other call. It changes nothing outside half-open.
func (p *Permit) Confirm() {
	if p.pass.probe != nil && !p.done.Load() {
		p.b.confirm(p.pass.probe)
	}
}

// Context returns the context to make the call with. It is the one given to Allow; if the call is a half-open probe it
// also says so, and what the call itself does through the same breaker is let through as part of the probe. A check
// that pings through a guarded client would otherwise be turned away by its own probe.
func (p *Permit) Context() context.Context {
	if p.pass.probe == nil || p.pass.nested {
		return p.ctx
	}
	return context.WithValue(p.ctx, probeKey{p.b}, p.pass.probe)
}

// classify is foreign code's turn: no lock is held.
func (p *Permit) classify(err error) Outcome {
	if p.expired || err != nil && p.abandoned() {
		return Neutral
	}
	return p.b.cfg.Classify(err)
}

// abandoned reports whether the caller gave up. Its context tells; the error of a call need not.
func (p *Permit) abandoned() bool { return p.ctx != nil && errors.Is(p.ctx.Err(), context.Canceled) }

// time reports whether the call was slow, and lets one that was quick and good stand for a check.
func (b *Breaker) time(p *Permit, outcome Outcome) (slow bool) {
	now := b.sinceBirth()
	took := now - p.began
	if outcome == Success && b.cfg.PassiveWindow > 0 {
		b.recordSuccess(now, took)
	}
	return b.cfg.SlowCall > 0 && !p.untimed && outcome != Neutral && took >= b.cfg.SlowCall
}

// record counts one call's outcome. The fast path is a success in the state in which the call was admitted.
func (b *Breaker) record(p *Permit, outcome Outcome, cause error) {
	slow := b.cfg.timed() && b.time(p, outcome)
	word := b.word.Load()
	if outcome == Failure || slow || p.pass.probe != nil || word&slowPath != 0 || word>>epochShift != p.pass.epoch {
		b.recordSlow(p, outcome, slow, cause)
		return
	}
	if outcome == Success && b.consecutive.Load() != 0 {
		b.consecutive.Store(0)
	}
	b.stripes.mine().count(outcome, false)
}
