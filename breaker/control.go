package breaker

import (
	"math/rand/v2"
	"time"
)

// TripFor opens the breaker for d, as for HTTP's Retry-After or gRPC's RetryInfo. Jitter lengthens d; MaxOpenTime limits
// it. TripFor extends the open time but never shortens it, does not count as a failed probe, and has no effect on a
// forced breaker.
func (b *Breaker) TripFor(d time.Duration) {
	if d <= 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.elapsed()
	b.advance(now)
	d = b.cfg.tripTime(d, rand.Float64())
	switch {
	case b.current.Forced:
		return
	case b.current.State == Open:
		if now+d <= b.due {
			return
		}
	case b.probe != nil:
		b.endProbe(Failure)
	default:
		b.machine.report(Failure, true)
	}
	b.open(now, d)
}

// ForceOpen rejects all calls and checks until ForceClosed or Reset, also with ObserveOnly. Reports show the reason.
func (b *Breaker) ForceOpen(reason string) { b.set(Open, true, reason) }

// ForceClosed allows all calls, whatever their results, until ForceOpen or Reset. Reports show the reason.
func (b *Breaker) ForceClosed(reason string) { b.set(Closed, true, reason) }

// Reset closes the breaker and clears its window, back-off and forced state. The totals of the Snapshot stay.
func (b *Breaker) Reset() { b.set(Closed, false, "") }

func (b *Breaker) set(state State, forced bool, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probe, b.retries, b.backOff = nil, 0, 0
	b.current.Forced, b.current.ForcedReason = forced, reason
	if !forced {
		b.machine.reset(b.cfg.SuccessThreshold)
	}
	b.idleSince = b.elapsed()
	b.transition(state, b.idleSince)
}
