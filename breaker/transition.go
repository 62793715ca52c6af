package breaker

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/vitals-go/vitals/internal/errtext"
)

// Causes of an open breaker that are not the error of a call.
var (
	errMaxCallTime = errors.New("breaker: probe did not end within MaxCallTime")
	errTooSlow     = errors.New("breaker: too many slow calls")
)

// recordSlow records a result off the fast path.
func (b *Breaker) recordSlow(p *Permit, outcome Outcome, slow bool, cause error) {
	if outcome == Failure {
		_ = b.recordCause(cause)
		b.passive.lastBad.Store(b.moment())
		p.notifyCheck()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	epoch := p.pass.epoch
	if probe := p.pass.probe; probe != nil {
		if !b.recordProbe(p.pass, outcome, slow) {
			return
		}
		epoch = probe.confirmedIn
	}
	b.recordCall(epoch, outcome, slow)
}

// recordCause makes cause the last failure and returns it with its text. It calls cause.Error, so no lock is held.
func (b *Breaker) recordCause(cause error) error {
	cause = errtext.Capture(cause)
	b.lastFailure.Store(&cause)
	return cause
}

// recordCall counts the result of a call allowed in the state with the number epoch.
func (b *Breaker) recordCall(epoch uint64, outcome Outcome, slow bool) {
	now := b.elapsed()
	b.advance(now)
	if epoch != b.epoch() {
		b.late.count(outcome, slow)
		return
	}
	if b.current.State == Closed {
		b.resume(now) // the call took longer than the window
	}
	b.stripes.mine().count(outcome, slow)
	if b.current.State == Closed && outcome != Neutral {
		b.evaluate(now, outcome, slow)
	}
}

// evaluate opens a closed breaker if a rule says so after one more result.
func (b *Breaker) evaluate(now time.Duration, outcome Outcome, slow bool) {
	if outcome == Success {
		b.consecutive.Store(0)
	} else {
		b.consecutive.Add(1)
	}
	if b.current.Forced {
		return
	}
	window := b.window.calls(now, b.stripes.sum())
	tooSlow := slow && b.cfg.tooSlow(window)
	switch {
	case outcome == Failure:
		b.machine.report(Failure, tooSlow || b.cfg.failing(b.consecutive.Load(), window))
	case tooSlow: // gobreaker consults its rule on failures only
		b.lastFailure.Store(&errTooSlow)
		b.machine.report(Failure, true)
	}
	b.sync(now)
}

// advance makes the transitions that are due by now, in case the timer is late.
func (b *Breaker) advance(now time.Duration) {
	if !b.idle() {
		b.window.rotate(now, b.stripes.sum())
	}
	switch {
	case b.current.Forced:
	case b.current.State == Open && now >= b.due:
		b.machine.twoStep.State() // lets gobreaker become half-open
		b.sync(now)
	case b.probe != nil && now >= b.due:
		b.lastFailure.Store(&errMaxCallTime)
		b.endProbe(Failure)
		b.sync(now)
	}
}

// sync copies the machine's state to the breaker.
func (b *Breaker) sync(now time.Duration) {
	state := b.machine.current()
	if state == b.current.State {
		return
	}
	switch state {
	case Closed:
		b.closed, b.idleSince = now, now
		b.transition(Closed, now)
	case HalfOpen:
		b.checkDeadline = now + checkWait
		b.transition(HalfOpen, now)
	default:
		switch {
		case b.current.State == HalfOpen:
			b.retries++
		case !b.relapses(now):
			b.retries = 0
		}
		b.backOff = b.cfg.openTime(b.retries, rand.Float64())
		b.open(now, b.backOff)
	}
}

// relapses reports whether a breaker that opens now has been closed too shortly to forget its back-off.
func (b *Breaker) relapses(now time.Duration) bool {
	return b.backOff > 0 && now-b.closed < max(b.backOff, b.cfg.Window)
}

// open enters Open for d.
func (b *Breaker) open(now, d time.Duration) {
	b.due = now + d
	b.current.RetryAt = b.created.Add(b.due)
	b.transition(Open, now)
}

// transition enters state. The order matters: first the rejection, then the word that rejects calls, then the snapshot
// for readers, then the timer.
func (b *Breaker) transition(state State, now time.Duration) {
	if state != Open || b.current.Forced {
		b.current.RetryAt = time.Time{}
	}
	if b.current.State != state {
		b.current.Since = b.created.Add(now)
		b.current.countTransition(state)
	}
	b.current.State = state
	b.consecutive.Store(0)
	if state == Closed {
		b.window.restart(now, b.stripes.sum())
	} else {
		rejection := &OpenError{Name: b.cfg.Name, State: state, RetryAt: b.current.RetryAt}
		if cause := b.lastFailure.Load(); cause != nil && !b.current.Forced {
			rejection.cause = *cause
		}
		b.rejection.Store(rejection)
	}
	b.word.Store((b.epoch()+1)<<epochShift | b.flags())
	b.publish()
	b.setTimer(now)
}

// flags derives the word's flags from the state.
func (b *Breaker) flags() uint64 {
	flags := uint64(b.current.State)
	switch {
	case b.current.State == Closed:
		flags |= idle
	case b.current.Forced:
		flags |= rejecting
	case b.cfg.ObserveOnly:
	case b.probe != nil:
		flags |= rejecting | probing
	case b.current.State == Open, b.awaitsCheck():
		flags |= rejecting
	}
	return flags
}

// storeFlags changes the flags within a state.
func (b *Breaker) storeFlags() { b.word.Store(b.epoch()<<epochShift | b.flags()) }

func (b *Breaker) epoch() uint64 { return b.word.Load() >> epochShift }

func (b *Breaker) idle() bool { return b.word.Load()&idle != 0 }
