package breaker

import (
	"context"
	"errors"
)

// Outcome classifies the end of a call. The zero value is Failure.
type Outcome uint8

// The outcomes.
const (
	// Failure: the dependency did not respond, or failed.
	Failure Outcome = iota
	// Success: the dependency responded, even if only to reject the request as invalid.
	Success
	// Neutral: not counted in rates, as when the caller canceled or the call did not reach the dependency.
	Neutral
)

// String returns failure, success or neutral.
func (o Outcome) String() string {
	return [...]string{Failure: "failure", Success: "success", Neutral: "neutral"}[min(o, Neutral)]
}

// DefaultClassify is the default of Config.Classify: nil is a Success; context.Canceled and the rejection of another
// breaker are Neutral; every other error is a Failure.
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
