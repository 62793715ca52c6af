package breaker

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/vitals-go/vitals/internal/errtext"
)

// Check wraps a health check of the dependency, so that check and calls share what they learn. It fits
// checker.Check.Run.
//
// While the breaker is open the check is answered from memory, by the rejection, and the dependency is left alone; the
// text of that error ends with the failure that opened the breaker. When the open time is over, the next run of the
// check is the half-open probe: it runs for up to ProbeTimeout whatever deadline its caller has, because a probe that is
// cut short by an impatient caller would keep the breaker open; only a cancelled caller ends it. If it passes the breaker
// closes, and so does one that opened while the check ran. In closed its result counts as one call's.
//
// With Config.PassiveWindow a run passes without calling fn when calls have just shown that the dependency works, through the
// closed breaker. The first run always asks.
//
// The check may use a client that this breaker guards: calls made with the context that the check is given are part
// of the probe, and in closed a failure of theirs is not counted again as the check's.
func (b *Breaker) Check(fn func(context.Context) error) func(context.Context) error {
	b.checked.Store(true)
	var calls passiveCheck
	return func(ctx context.Context) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		defer calls.markRun(b)
		if calls.satisfied(b) {
			return nil
		}
		pass, ok := b.admitProbe(true)
		if !ok {
			return remember(b.reject())
		}
		permit := Permit{b: b, ctx: ctx, pass: pass, began: b.stopwatch()}
		return permit.check(ctx, fn)
	}
}

// remembered is the rejection of a check. Like every error of a check it is for the log and for those who may see
// details: unlike an OpenError, which calls return to anybody, its text holds the cause. Its GRPCStatus does not.
type remembered struct{ *OpenError }

func remember(rejection *OpenError) error {
	if rejection.Cause == nil {
		return rejection
	}
	return remembered{rejection}
}

// Error is the rejection's, and why.
func (r remembered) Error() string { return r.OpenError.Error() + ": " + errtext.Of(r.Cause) }

// Unwrap returns the rejection.
func (r remembered) Unwrap() error { return r.OpenError }

// check runs fn and settles, however fn ends.
func (p *Permit) check(ctx context.Context, fn func(context.Context) error) error {
	outcome, cause := Failure, errAbandoned
	var told atomic.Bool
	defer func() {
		if outcome == Failure && told.Load() && p.pass.probe == nil {
			return
		}
		p.Record(outcome, cause)
		if outcome == Success {
			p.b.close(p.pass.epoch)
		}
	}()
	ctx = context.WithValue(ctx, checkKey{p.b}, &told)
	if p.pass.probe != nil {
		var release context.CancelFunc
		ctx, release = p.b.probeContext(ctx, p.pass.probe)
		defer release()
	}
	err := fn(ctx)
	outcome, cause = p.classify(err), err
	return err
}

// checkKey is the context key under which a check of a breaker travels into the calls that it makes. Its value is set by
// a call that has failed: the check's own failure is the same one.
type checkKey struct{ *Breaker }

// notifyCheck tells the check that made the call, if one did, that its failure has been counted.
func (p *Permit) notifyCheck() {
	if p.ctx == nil {
		return
	}
	if told, ok := p.ctx.Value(checkKey{p.b}).(*atomic.Bool); ok {
		told.Store(true)
	}
}

// probeContext gives the probe its own deadline. Of the caller's context it keeps the values and an explicit
// cancellation.
func (b *Breaker) probeContext(caller context.Context, p *probe) (context.Context, context.CancelFunc) {
	ctx := context.WithValue(context.WithoutCancel(caller), probeKey{b}, p)
	ctx, cancel := context.WithTimeout(ctx, b.cfg.ProbeTimeout)
	stop := context.AfterFunc(caller, func() {
		if errors.Is(caller.Err(), context.Canceled) {
			cancel()
		}
	})
	return ctx, func() {
		stop()
		cancel()
	}
}

// Observe reports what was learnt about the dependency without asking the breaker: by a check that is not wrapped, or
// by another client. A success closes an open breaker, a failure re-opens a half-open one that has no probe under
// way, and in closed both count like a call's result. A breaker that an operator holds only counts.
func (b *Breaker) Observe(err error) {
	outcome := b.cfg.Classify(err)
	permit := Permit{b: b, pass: pass{epoch: b.word.Load() >> epochShift}, began: b.stopwatch()}
	switch outcome {
	case Success:
		b.close(0)
	case Failure:
		err = errtext.Capture(err)
		b.reopen(err)
	}
	permit.Record(outcome, err)
}

// close closes a breaker that is not closed although the dependency works. It leaves alone what is in the state
// number epoch: that result has been judged already.
func (b *Breaker) close(epoch uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.current.State == Closed || b.current.Forced || b.epoch() == epoch {
		return
	}
	now := b.sinceBirth()
	b.probe = nil
	b.machine.reset()
	b.sync(now)
}

// reopen re-opens a half-open breaker.
func (b *Breaker) reopen(cause error) {
	b.recordCause(cause)
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.sinceBirth()
	b.advance(now)
	if b.current.State == HalfOpen && b.probe == nil {
		b.machine.report(Failure, true)
		b.sync(now)
	}
}
