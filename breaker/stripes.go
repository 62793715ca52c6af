package breaker

import (
	"sync/atomic"

	"github.com/vitals-go/vitals/internal/stripe"
)

// stripes are counters that cores do not share: each call adds to the stripe of its lane, and a reader adds all
// stripes up.
type stripes struct {
	all  []callStripe
	mask uint32
}

// callStripe is padded to two cache lines, because neighbouring lines are fetched in pairs.
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

// sum adds up all stripes. Counters that are written meanwhile may or may not be in it.
func (s *stripes) sum() Calls {
	var total Calls
	for i := range s.all {
		total = total.plus(s.all[i].sum())
	}
	return total
}

func (s *callStripe) sum() Calls {
	return Calls{
		Successes: s.successes.Load(),
		Failures:  s.failures.Load(),
		Neutral:   s.neutral.Load(),
		Slow:      s.slow.Load(),
		Rejected:  s.rejected.Load(),
	}
}

// count adds one call. Slow comes on top of the outcome.
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
