package breaker

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/vitals-go/vitals/internal/errtext"
	"github.com/vitals-go/vitals/internal/finding"
)

// Check wraps a health check of the dependency, so that the check and calls share their results. It fits
// checker.Check.Run.
//
// While the breaker is open, the check returns the rejection without calling fn; the text of this error ends with the
// failure that opened the breaker. After the open time the next run is the half-open probe: it may take MaxCallTime
// whatever deadline its context has, because a probe that is cut short would keep the breaker open; only cancellation
// ends it. A run that passes closes the breaker, also one that opened during the run. While closed, a run counts as a
// call. A run that is degraded (checker.Degraded) passes.
//
// With Config.PassiveWindow a run passes without calling fn if recent calls through the closed breaker succeeded. The
// first run always calls fn.
//
// fn may use a client that this breaker protects: calls made with fn's context are part of the probe; while closed,
// their failures and that of fn count once.
func (b *Breaker) Check(fn func(context.Context) error) func(context.Context) error {
	b.checked.Store(true)
	var passive passiveCheck
	return func(ctx context.Context) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		defer passive.markRun(b)
		if passive.satisfied(b) {
			return nil
		}
		pass, ok := b.allowLocked(true)
		if !ok {
			return explained{b.reject()}
		}
		permit := Permit{b: b, ctx: ctx, pass: pass, began: b.callStart(ctx), byCheck: true}
		return permit.check(ctx, fn)
	}
}

// explained is the rejection of a check. Its text holds the cause, as errors of checks may; that of an OpenError, which
// calls return to clients, does not. Neither does its GRPCStatus.
type explained struct{ *OpenError }

func (e explained) Error() string {
	if e.cause == nil {
		return e.OpenError.Error()
	}
	return e.OpenError.Error() + ": " + errtext.Of(e.cause)
}

func (e explained) Unwrap() error { return e.OpenError }

// check runs fn and records the outcome, also when fn panics.
func (p *Permit) check(ctx context.Context, fn func(context.Context) error) error {
	outcome, cause := Failure, errAbandoned
	var counted atomic.Bool // a call made by fn has failed
	defer func() {
		if outcome == Failure && counted.Load() && p.pass.probe == nil {
			return
		}
		p.Record(outcome, cause)
		if outcome == Success {
			p.b.close(p.pass.epoch)
		}
	}()
	ctx = context.WithValue(ctx, checkKey{p.b}, &counted)
	if p.pass.probe != nil {
		var release context.CancelFunc
		ctx, release = p.b.probeContext(ctx, p.pass.probe)
		defer release()
	}
	err := fn(ctx)
	outcome, cause = p.classify(err), err
	if _, degraded := finding.Inspect(err); degraded {
		outcome = Success
	}
	return err
}

// checkKey is the context key of a running check. Its value is an *atomic.Bool: see Permit.check.
type checkKey struct{ *Breaker }

// notifyCheck marks the failure of a call as counted for the check that made the call, if one did.
func (p *Permit) notifyCheck() {
	if p.ctx == nil {
		return
	}
	if counted, ok := p.ctx.Value(checkKey{p.b}).(*atomic.Bool); ok {
		counted.Store(true)
	}
}

// probeContext returns a context with the values of caller, its cancellation and the probe's own deadline.
func (b *Breaker) probeContext(caller context.Context, p *probe) (context.Context, context.CancelFunc) {
	ctx := context.WithValue(context.WithoutCancel(caller), probeKey{b}, p)
	ctx, cancel := context.WithTimeout(ctx, b.cfg.MaxCallTime)
	stop := context.AfterFunc(caller, func() {
		if errors.Is(caller.Err(), context.Canceled) {
			cancel()
		}
	})
	return ctx, func() { stop(); cancel() }
}

// Observe records a result of a call or check that the breaker did not see. A success closes an open breaker unless
// Config.SuccessThreshold demands more, a failure reopens a half-open one that has no probe in flight; while closed, both
// count like a call. A forced breaker only counts.
func (b *Breaker) Observe(err error) {
	outcome := b.cfg.Classify(err)
	permit := Permit{b: b, pass: pass{epoch: b.epoch()}, began: b.callStart(context.Background())}
	switch outcome {
	case Success:
		b.close(0)
	case Failure:
		err = b.recordCause(err)
		b.reopen()
	}
	permit.Record(outcome, err)
}

// close closes the breaker after a success, unless it is in the state with the number epoch: there the success has been
// evaluated already.
func (b *Breaker) close(epoch uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.current.State == Closed || b.current.Forced || b.epoch() == epoch || b.cfg.SuccessThreshold > 1 {
		return
	}
	now := b.elapsed()
	b.probe = nil
	b.machine.reset(b.cfg.SuccessThreshold)
	b.sync(now)
}

// reopen opens a half-open breaker without a probe.
func (b *Breaker) reopen() {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.elapsed()
	b.advance(now)
	if b.current.State == HalfOpen && b.probe == nil {
		b.machine.report(Failure, true)
		b.sync(now)
	}
}

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
