package breaker

import (
	"context"
	"errors"
	"time"
)

// The pure rules: when a closed breaker opens, and for how long.

// failing reports whether a failure opens the breaker.
func (c *Config) failing(consecutive uint32, window Calls) bool {
	return c.ConsecutiveFailures > 0 && consecutive >= uint32(c.ConsecutiveFailures) ||
		c.FailureRate > 0 && c.share(window.Failures, window) >= c.FailureRate
}

// tooSlow reports whether a slow call opens the breaker.
func (c *Config) tooSlow(window Calls) bool { return c.share(window.Slow, window) >= c.SlowCallRate }

// share returns n as a share of the window's calls; 0 below MinCalls.
func (c *Config) share(n uint64, window Calls) float64 {
	ended := window.Successes + window.Failures
	if ended < uint64(c.MinCalls) {
		return 0
	}
	return float64(n) / float64(ended)
}

// openTime returns the open time after failedProbes failed probes in a row; random is in [0, 1). Jitter is applied
// below MaxOpenTime instead of being cut off there, so that breakers that have been open for long do not probe at the
// same time.
func (c *Config) openTime(failedProbes int, random float64) time.Duration {
	limit := time.Duration(float64(c.MaxOpenTime) / (1 + c.Jitter))
	base := min(c.OpenTime, limit)
	for range failedProbes {
		if base >= limit/2 {
			base = limit
			break
		}
		base *= 2
	}
	return min(spread(base, -c.Jitter, c.Jitter, random), c.MaxOpenTime) // the sum may be rounded up
}

// tripTime returns the open time for TripFor(d).
func (c *Config) tripTime(d time.Duration, random float64) time.Duration {
	return min(spread(min(d, c.MaxOpenTime), 0, c.Jitter, random), c.MaxOpenTime)
}

func spread(d time.Duration, low, high, random float64) time.Duration {
	return time.Duration(float64(d) * (1 + low + (high-low)*random))
}

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
