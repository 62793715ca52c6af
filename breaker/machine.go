package breaker

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// machine is gobreaker's state machine, which decides what state a breaker is in. What it is told, and when, is the
// Breaker's business: rules, open time and leases. A Breaker uses it under its lock.
type machine struct {
	gate *gobreaker.TwoStepCircuitBreaker[struct{}]
	// state is written by OnStateChange, which gobreaker runs under its own lock: nothing else may happen there.
	state atomic.Int32
	// tripping is what the rules say about the failure that is being reported.
	tripping bool
}

// What the gate is told instead of the call's own error: outcomes have been classified before.
var (
	errFailure = errors.New("failure")
	errNeutral = errors.New("neutral")
)

// reset makes a new, closed gate. gobreaker knows no way back but through its own rules.
func (m *machine) reset() {
	m.state.Store(int32(gobreaker.StateClosed))
	m.gate = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:   1,
		Timeout:       time.Nanosecond, // the Breaker asks only when its own, longer open time is over
		ReadyToTrip:   func(gobreaker.Counts) bool { return m.tripping },
		OnStateChange: func(_ string, _, to gobreaker.State) { m.state.Store(int32(to)) },
		IsExcluded:    func(err error) bool { return errors.Is(err, errNeutral) },
	})
}

// current translates gobreaker's state.
func (m *machine) current() State {
	switch gobreaker.State(m.state.Load()) {
	case gobreaker.StateHalfOpen:
		return HalfOpen
	case gobreaker.StateOpen:
		return Open
	default:
		return Closed
	}
}

// report tells the gate of a call that is already over. It has no effect while a probe is under way.
func (m *machine) report(outcome Outcome, tripping bool) {
	done, err := m.gate.Allow()
	if err != nil {
		return
	}
	m.record(done, outcome, tripping)
}

func (m *machine) record(done func(error), outcome Outcome, tripping bool) {
	m.tripping = tripping
	switch outcome {
	case Success:
		done(nil)
	case Neutral:
		done(errNeutral)
	default:
		done(errFailure)
	}
	m.tripping = false
}

// wake lets an open gate notice that its time is over.
func (m *machine) wake() { m.gate.State() }
