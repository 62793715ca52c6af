package breaker

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// machine is gobreaker's state machine, used under the Breaker's mu. The Breaker implements rules, open time and
// timeouts.
type machine struct {
	twoStep *gobreaker.TwoStepCircuitBreaker[struct{}]
	// state is written by OnStateChange, which gobreaker calls under its own lock and which does nothing else.
	state atomic.Int32
	// tripping is set while a failure is recorded that opens the breaker.
	tripping bool
}

// gobreaker receives these errors instead of the call's, which has been classified already.
var (
	errFailure = errors.New("failure")
	errNeutral = errors.New("neutral")
)

// reset replaces gobreaker's breaker by a new, closed one: it has no method for that. The breaker closes after successes
// in a row.
func (m *machine) reset(successes int) {
	m.state.Store(int32(gobreaker.StateClosed))
	m.twoStep = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:   uint32(successes),
		Timeout:       time.Nanosecond, // the Breaker's open time is longer
		ReadyToTrip:   func(gobreaker.Counts) bool { return m.tripping },
		OnStateChange: func(_ string, _, to gobreaker.State) { m.state.Store(int32(to)) },
		IsExcluded:    func(err error) bool { return errors.Is(err, errNeutral) },
	})
}

// current returns the state. gobreaker's states have the same numbers as State.
func (m *machine) current() State { return State(m.state.Load()) }

// report records a call that is over. It has no effect while a probe is in flight.
func (m *machine) report(outcome Outcome, tripping bool) {
	if done, err := m.twoStep.Allow(); err == nil {
		m.record(done, outcome, tripping)
	}
}

func (m *machine) record(done func(error), outcome Outcome, tripping bool) {
	m.tripping = tripping
	done([...]error{Failure: errFailure, Success: nil, Neutral: errNeutral}[min(outcome, Neutral)])
	m.tripping = false
}
