package checker

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// ErrInconclusive says that a check could not find out how things are, which is not the same as finding them bad: a
// disk whose mount hangs, a peer that is itself still starting. The result is unknown and stale, with the last
// value. Wrap it to give the cause.
var ErrInconclusive = errors.New("checker: no evidence")

// outcome is how a run ended, or what the scheduler found in a run's place.
type outcome struct {
	event       event
	err         error
	measured    bool
	measurement Measurement
	stack       []byte
	duration    time.Duration
	late        bool // err says that time ran out, if only a client's own
	ran         bool // false for what the scheduler found
	abandoned   bool
	expired     bool // nothing happened: that is the news
}

func (o *outcome) observation() observation {
	return observation{event: o.event, measured: o.measured, number: o.measurement.Value}
}

// measure records what Measure returned. A value that is no number is no measurement.
func (o *outcome) measure(m Measurement) error {
	if math.IsNaN(m.Value) || math.IsInf(m.Value, 0) {
		return fmt.Errorf("measured %v", m.Value)
	}
	o.measured, o.measurement = true, m
	return nil
}

// classify turns what the check returned into an event. It calls methods of errors that it does not know, so it runs
// where a panic is caught.
func classify(ctx context.Context, err error) event {
	deadline, limited := ctx.Deadline()
	switch {
	case err == nil:
		return passed
	case circuitOpen(err):
		return circuitRefused
	case errors.Is(err, ErrInconclusive):
		return inconclusive
	case errors.Is(ctx.Err(), context.Canceled):
		return cancelled
	case ctx.Err() != nil, limited && !time.Now().Before(deadline):
		// The clock is asked too: an I/O deadline can fire just before the context's own timer.
		return timedOut
	default:
		return failed
	}
}

// outOfTime reports whether err is a timeout of any kind, such as that of an http.Client.
func outOfTime(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// circuitOpen reports whether any error in err's tree says that a circuit breaker is open.
func circuitOpen(err error) bool {
	if b, ok := err.(interface{ CircuitOpen() bool }); ok && b.CircuitOpen() {
		return true
	}
	switch x := err.(type) { //nolint:errorlint // This walks the tree itself, because the nearest error is not the one that counts.
	case interface{ Unwrap() error }:
		inner := x.Unwrap()
		return inner != nil && circuitOpen(inner)
	case interface{ Unwrap() []error }:
		for _, inner := range x.Unwrap() {
			if inner != nil && circuitOpen(inner) {
				return true
			}
		}
	}
	return false
}
