package checker

import (
	"context"
	"errors"
	"fmt"

	"github.com/vitals-go/vitals/internal/errtext"
)

// panicError is the error of a run that panicked.
type panicError struct{ text string }

// Formatting survives values whose own methods panic.
func newPanicError(cause any) error { return &panicError{errtext.Cut(fmt.Sprintf("panic: %v", cause))} }

func (e *panicError) Error() string { return e.text }

// ReasonFor says what one run came to, for the hook of Config.Wrap: ctx is the context that the hook was given, err
// what its function was told. It is ok, error, timeout, panic or circuit_open, and stale if the run found nothing out.
// What the run makes of the check is another matter, which thresholds decide.
func ReasonFor(ctx context.Context, err error) (reason Reason) {
	defer func() {
		if recover() != nil { // a method of err
			reason = ReasonError
		}
	}()
	if _, panicked := errors.AsType[*panicError](err); panicked || errors.Is(err, errGoexit) {
		return ReasonPanic
	}
	switch classify(ctx, err) {
	case passed:
		return ReasonOK
	case circuitRefused:
		return ReasonCircuitOpen
	case timedOut:
		return ReasonTimeout
	case inconclusive, cancelled:
		return ReasonStale
	default:
		return ReasonError
	}
}
