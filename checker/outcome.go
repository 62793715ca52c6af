package checker

import (
	"context"
	"errors"
	"time"

	"github.com/vitals-go/vitals/internal/finding"
)

// ErrInconclusive is wrapped by the error of a check that could not determine the state, such as that of a hanging mount.
// The result is stale, with the last value: unknown, or warning if the check is optional.
var ErrInconclusive = errors.New("checker: inconclusive")

// event is what happened to a check.
type event uint8

const (
	passed       event = iota // it returned nil, or a number
	failed                    // it returned an error
	timedOut                  // it did not return in time
	panicked                  // it panicked, or ended its goroutine
	rejected                  // a circuit breaker rejected the call
	inconclusive              // it could not determine the state, or its last result has expired
	starved                   // the process was too slow
	degraded                  // it works, but not as it should
	cancelled                 // Run ends; never evaluated
)

// The values of checks that do not measure.
const (
	valueAvailable   = "available"
	valueDegraded    = "degraded"
	valueUnavailable = "unavailable"
	valueTimeout     = "timeout"
	valueError       = "error"
	valueCircuitOpen = "circuit_open"
)

// outcome is how a run ended, or what the scheduler found instead of a run.
type outcome struct {
	event       event
	err         error
	text        string // public, from err
	measured    bool
	measurement Measurement
	values      []Value
	stack       []byte
	duration    time.Duration
	late        bool // err is a timeout, possibly a client's own
	ran         bool // false for what the scheduler found; inconclusive is then an expired result
	abandoned   bool
}

// classify turns what the check returned into an event and its public text. It calls methods of err, which may panic.
func classify(ctx context.Context, err error) (event, string) {
	if err == nil {
		return passed, ""
	}
	texts, works := finding.Inspect(err)
	text := publicText(texts)
	if works {
		return degraded, text
	}
	return classifyFailure(ctx, err), text
}

func classifyFailure(ctx context.Context, err error) event {
	deadline, limited := ctx.Deadline()
	switch {
	case circuitOpen(err):
		return rejected
	case errors.Is(err, ErrInconclusive):
		return inconclusive
	case errors.Is(ctx.Err(), context.Canceled):
		return cancelled
	case ctx.Err() != nil, limited && !time.Now().Before(deadline):
		// An I/O deadline can fire just before the timer of the context.
		return timedOut
	default:
		return failed
	}
}

// isTimeout reports whether err is a timeout of any kind, such as that of an http.Client.
func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// circuitOpen reports whether any error in the tree of err has a method CircuitOpen that returns true.
func circuitOpen(err error) bool {
	if b, ok := err.(interface{ CircuitOpen() bool }); ok && b.CircuitOpen() {
		return true
	}
	switch x := err.(type) { //nolint:errorlint // errors.As stops at the first match, which need not be the open one.
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

// ReasonFor returns the reason of one run for Config.Wrap, given the hook's context and the error passed to its function:
// ok, degraded, error, timeout, panic, circuit_open, or stale if the run was inconclusive. The status of the check also depends on
// its thresholds and limits.
func ReasonFor(ctx context.Context, err error) (reason Reason) {
	defer func() {
		if recover() != nil { // a method of err
			reason = ReasonError
		}
	}()
	if errors.Is(err, errPanic) || errors.Is(err, errGoexit) {
		return ReasonPanic
	}
	switch event, _ := classify(ctx, err); event {
	case passed:
		return ReasonOK
	case degraded:
		return ReasonDegraded
	case rejected:
		return ReasonCircuitOpen
	case timedOut:
		return ReasonTimeout
	case inconclusive, cancelled:
		return ReasonStale
	default:
		return ReasonError
	}
}
