package breaker

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// machine is gobreaker's state machine. Rules, open time and timeouts are the Breaker's, which uses it under mu.
type machine struct {
	gate *gobreaker.TwoStepCircuitBreaker[struct{}]
	// state is written by OnStateChange, which gobreaker runs under its own lock: nothing else may happen there.
	state atomic.Int32
	// tripping is the rules' decision on the failure that is being reported.
	tripping bool
}

// The gate gets these errors instead of the call's: outcomes are classified before.
var (
	errFailure = errors.New("failure")
	errNeutral = errors.New("neutral")
)

// reset makes a new, closed gate: gobreaker has no method for that.
func (m *machine) reset() {
	m.state.Store(int32(gobreaker.StateClosed))
	m.gate = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:   1,
		Timeout:       time.Nanosecond, // the Breaker's open time is longer
		ReadyToTrip:   func(gobreaker.Counts) bool { return m.tripping },
		OnStateChange: func(_ string, _, to gobreaker.State) { m.state.Store(int32(to)) },
		IsExcluded:    func(err error) bool { return errors.Is(err, errNeutral) },
	})
}

// current returns the state: gobreaker's have the same numbers.
func (m *machine) current() State { return State(m.state.Load()) }

// report records a call that is over. It has no effect while a probe is in flight.
func (m *machine) report(outcome Outcome, tripping bool) {
	if done, err := m.gate.Allow(); err == nil {
		m.record(done, outcome, tripping)
	}
}

func (m *machine) record(done func(error), outcome Outcome, tripping bool) {
	m.tripping = tripping
	done([...]error{Failure: errFailure, Success: nil, Neutral: errNeutral}[min(outcome, Neutral)])
	m.tripping = false
}
