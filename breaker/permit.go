package breaker

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Permit allows one call and records its result. Do not copy it after its first use. The zero Permit records nothing.
type Permit struct {
	b       *Breaker
	ctx     context.Context
	pass    pass
	began   time.Duration // only if calls are timed
	expired bool          // the context had ended before the call
	byCheck bool          // by Breaker.Check
	untimed bool          // never slow
	done    atomic.Bool
}

// pass says how a call was allowed.
type pass struct {
	epoch uint64 // the number of the state that allowed it
	probe *probe // the half-open probe that the call is, or is part of
	// nested calls are made by the call that holds the probe.
	nested bool
}

// Allow returns a Permit for one call, which must be ended by Done or Record, or an *OpenError. It never blocks. Most
// callers use Do; Allow is for calls that end elsewhere.
//
// A call that is never ended is not counted; if it was the half-open probe, it fails after MaxCallTime.
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
	return Permit{b: b, ctx: ctx, pass: pass, began: b.callStart(ctx), expired: expired}, nil
}

// callStart reads the clock if calls are timed or the call may be canceled.
func (b *Breaker) callStart(ctx context.Context) time.Duration {
	if b.cfg.timed() || ctx != context.Background() && ctx != context.TODO() {
		return b.elapsed()
	}
	return 0
}

func (c *Config) timed() bool { return c.SlowCall|c.PassiveWindow != 0 }

func (b *Breaker) allowSlow(ctx context.Context, word uint64, expired bool) (pass, bool) {
	state := State(word & stateFlags)
	switch {
	case word&probing != 0:
		return b.joinProbe(ctx)
	case word&rejecting != 0:
		return pass{}, false
	case expired, state == Open: // an expired call must not be the probe; an open breaker that only observes has none
		return pass{epoch: word >> epochShift}, true
	default:
		return b.allowLocked(false)
	}
}

// reject counts a rejection and returns the shared error.
func (b *Breaker) reject() *OpenError {
	b.stripes.mine().rejected.Add(1)
	return b.rejection.Load()
}

// Done records the end of the call. err is classified by Config.Classify, unless the permit's context was canceled or
// had ended before the call; if Classify panics, the call is a failure and the panic propagates. Only the first Done or
// Record has an effect.
func (p *Permit) Done(err error) {
	if p.b == nil || p.done.Load() {
		return
	}
	outcome, cause := Failure, errAbandoned // if Classify panics
	defer func() { p.Record(outcome, cause) }()
	outcome, cause = p.classify(err), err
}

// Record records an outcome that the caller has classified, as adapters do for their protocols. Every outcome of a call
// made after its deadline is Neutral, and so is a failure that the caller's cancellation or deadline explains: see
// Config.MinDeadline and MaxCallTime. Cause is kept as the reason of a failure. Only the first Done or Record has an effect.
func (p *Permit) Record(outcome Outcome, cause error) {
	if p.b == nil || p.done.Swap(true) {
		return
	}
	p.b.record(p, outcome, cause)
}

// Probe reports whether the call is the half-open probe or part of it.
func (p *Permit) Probe() bool { return p.pass.probe != nil }

// Untimed excludes the call from Config.SlowCall and MaxCallTime, as for a stream, which lasts as long as its user wants.
// Use it before the call begins.
func (p *Permit) Untimed() { p.untimed = true }

// Confirm ends a half-open probe with success before the call ends, as at the first message of a stream, so that a long
// call does not delay others. The end of the call then counts like any other. It has no effect unless the breaker is
// half-open.
func (p *Permit) Confirm() {
	if p.pass.probe != nil && !p.done.Load() {
		p.b.confirm(p.pass.probe)
	}
}

// Context returns the context for the call: the one given to Allow. For a half-open probe it carries the probe, so that
// calls through the same breaker made with it are allowed as part of the probe.
func (p *Permit) Context() context.Context {
	if p.pass.probe == nil || p.pass.nested {
		return p.ctx
	}
	return context.WithValue(p.ctx, probeKey{p.b}, p.pass.probe)
}

// classify runs code of the user: no lock is held.
func (p *Permit) classify(err error) Outcome {
	if p.expired || err != nil && p.canceled() {
		return Neutral
	}
	return p.b.cfg.Classify(err)
}

// settle returns Neutral instead of an outcome that the caller's impatience explains, and Failure if the call hung.
func (p *Permit) settle(outcome Outcome, cause error) Outcome {
	switch {
	case p.expired:
		return Neutral
	case p.ctx == nil:
		return outcome
	case p.canceled():
		if !p.untimed && p.b.elapsed()-p.began >= p.b.cfg.MaxCallTime {
			return Failure
		}
		return Neutral
	case outcome == Failure && !p.byCheck && p.given() < p.b.cfg.MinDeadline && p.outOfTime(cause):
		return Neutral
	default:
		return outcome
	}
}

// given is the time that the caller gave the call.
func (p *Permit) given() time.Duration {
	deadline, ok := p.ctx.Deadline()
	if !ok {
		return maxTime
	}
	return deadline.Sub(p.b.created) - p.began
}

// outOfTime reports whether the call's deadline is the cause of its failure.
func (p *Permit) outOfTime(cause error) bool {
	if p.ctx.Err() != nil || status.Code(cause) == codes.DeadlineExceeded {
		return true
	}
	timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](cause)
	return ok && timeout.Timeout()
}

// canceled reports whether the caller canceled the call, whatever the call's error.
func (p *Permit) canceled() bool { return p.ctx != nil && errors.Is(p.ctx.Err(), context.Canceled) }

// time reports whether the call was slow, and records a fast success for passive checks.
func (b *Breaker) time(p *Permit, outcome Outcome) (slow bool) {
	now := b.elapsed()
	took := now - p.began
	if outcome == Success && b.cfg.PassiveWindow > 0 {
		b.recordSuccess(now, took)
	}
	return b.cfg.SlowCall > 0 && !p.untimed && outcome != Neutral && took >= b.cfg.SlowCall
}

// record counts the outcome of one call. The fast path is a success in the state that allowed the call.
func (b *Breaker) record(p *Permit, outcome Outcome, cause error) {
	if outcome != Success || p.expired {
		outcome = p.settle(outcome, cause)
	}
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

// errAbandoned is the cause of a failure without an error.
var errAbandoned = errors.New("breaker: call ended without a result (panic or runtime.Goexit)")

// Do calls fn if b allows it and records the result. It returns the results of fn, or an *OpenError if the call was
// rejected. fn runs on the calling goroutine with Permit.Context. A panic of fn is a failure and propagates.
func Do[T any](ctx context.Context, b *Breaker, fn func(context.Context) (T, error)) (T, error) {
	permit, err := b.Allow(ctx)
	if err != nil {
		var zero T
		return zero, err
	}
	outcome, cause := Failure, errAbandoned
	defer func() { b.record(&permit, outcome, cause) }()
	result, err := fn(permit.Context())
	outcome, cause = permit.classify(err), err
	return result, err
}
