package breaker

import (
	"context"
	"errors"
)

// Outcome is what a call says about the dependency. The zero value is Failure.
type Outcome uint8

// The outcomes.
const (
	// Failure speaks against the dependency: it did not answer, or with a fault of its own.
	Failure Outcome = iota
	// Success speaks for it: it answered, if only to say that the caller is wrong.
	Success
	// Neutral says nothing: the caller gave up, or the call never reached the dependency.
	Neutral
)

// String returns failure, success or neutral.
func (o Outcome) String() string {
	switch o {
	case Success:
		return "success"
	case Neutral:
		return "neutral"
	default:
		return "failure"
	}
}

// DefaultClassify is the classifier of a Config that has none: nil is a Success; context.Canceled and the rejection
// of another breaker are Neutral; every other error is a Failure.
func DefaultClassify(err error) Outcome {
	switch {
	case err == nil:
		return Success
	case errors.Is(err, context.Canceled), IsRejected(err):
		return Neutral
	default:
		return Failure
	}
}
