package breaker

import (
	"sync/atomic"

	"github.com/vitals-go/vitals/internal/stripe"
)

// stripes are counters that CPUs rarely share: a call adds to one stripe, a reader sums all.
type stripes struct {
	all  []callStripe
	mask uint32
}

// callStripe is padded to two cache lines: neighboring lines are fetched in pairs.
type callStripe struct {
	successes, failures, neutral, slow, rejected atomic.Uint64

	_ [128 - 5*8]byte
}

func newStripes() stripes {
	n := stripe.Count()
	return stripes{all: make([]callStripe, n), mask: uint32(n - 1)}
}

// mine returns the stripe of the running goroutine.
func (s *stripes) mine() *callStripe { return &s.all[stripe.Of(s.mask)] }

// sum adds up all stripes. Concurrent additions may be missing.
func (s *stripes) sum() (total Calls) {
	for i := range s.all {
		s.all[i].addTo(&total)
	}
	return total
}

func (s *callStripe) addTo(total *Calls) {
	total.Successes += s.successes.Load()
	total.Failures += s.failures.Load()
	total.Neutral += s.neutral.Load()
	total.Slow += s.slow.Load()
	total.Rejected += s.rejected.Load()
}

// count adds one call.
func (s *callStripe) count(outcome Outcome, slow bool) {
	switch outcome {
	case Success:
		s.successes.Add(1)
	case Neutral:
		s.neutral.Add(1)
	default:
		s.failures.Add(1)
	}
	if slow {
		s.slow.Add(1)
	}
}
