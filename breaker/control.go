package breaker

import (
	"math/rand/v2"
	"time"
)

// TripFor opens the breaker for d, because the dependency asked to be left alone (HTTP's Retry-After, gRPC's
// RetryInfo). The time is lengthened by up to Config.Jitter and cut at Config.MaxOpenTime. It extends the time of an
// open breaker but never shortens it, does not count as a failed probe, and yields to an operator's word.
func (b *Breaker) TripFor(d time.Duration) {
	if d <= 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.sinceBirth()
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

// ForceOpen turns every call away, checks included, until ForceClosed or Reset. Reason is the operator's word for
// reports and logs. It also holds for a breaker that only observes.
func (b *Breaker) ForceOpen(reason string) { b.force(Open, reason) }

// ForceClosed lets every call through, whatever comes back, until ForceOpen or Reset.
func (b *Breaker) ForceClosed(reason string) { b.force(Closed, reason) }

func (b *Breaker) force(state State, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probe = nil
	b.current.Forced, b.current.ForcedReason = true, reason
	b.transition(state, b.sinceBirth())
}

// Reset closes the breaker and forgets failures, back-off and what an operator has forced. What happened over the
// breaker's life stays in the snapshot.
func (b *Breaker) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probe = nil
	b.retries = 0
	b.current.Forced, b.current.ForcedReason = false, ""
	b.machine.reset()
	b.transition(Closed, b.sinceBirth())
}
