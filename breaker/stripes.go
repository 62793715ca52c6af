package breaker

import (
	"math/bits"
	"runtime"
	"sync/atomic"
	"unsafe"
)

// stripes are counters that cores do not share: each call adds to the stripe that its goroutine's stack address
// chooses, and a reader adds all stripes up. Goroutines that run on one core tend to reuse the same stacks, so that a
// stripe's line stays in that core's cache.
type stripes struct {
	all  []stripe
	mask uint64
}

// stripe is padded to two cache lines, because neighbouring lines are fetched in pairs.
type stripe struct {
	successes, failures, neutral, slow, rejected atomic.Uint64

	_ [128 - 5*8]byte
}

func newStripes() stripes {
	n := 1 << bits.Len(uint(min(8*runtime.GOMAXPROCS(0), 32)-1))
	return stripes{all: make([]stripe, n), mask: uint64(n - 1)}
}

// mine returns the stripe of the running goroutine. The address is only hashed, never followed; whether the stack
// moves later does not matter.
func (s *stripes) mine() *stripe {
	var here byte
	hash := uint64(uintptr(unsafe.Pointer(&here))>>12) * 0x9e3779b97f4a7c15
	return &s.all[hash>>32&s.mask]
}

// sum adds up all stripes. Counters that are written meanwhile may or may not be in it.
func (s *stripes) sum() Calls {
	var total Calls
	for i := range s.all {
		total = total.plus(s.all[i].sum())
	}
	return total
}

func (s *stripe) sum() Calls {
	return Calls{
		Successes: s.successes.Load(),
		Failures:  s.failures.Load(),
		Neutral:   s.neutral.Load(),
		Slow:      s.slow.Load(),
		Rejected:  s.rejected.Load(),
	}
}

// count adds one call. Slow comes on top of the outcome.
func (s *stripe) count(outcome Outcome, slow bool) {
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
