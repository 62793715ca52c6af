package measure

import (
	"runtime"
	"runtime/debug"
	"time"
)

// blockCalls is how many calls one block has: enough to make the clock's readings cheap, few enough that the two blocks
// of a pair see the same machine.
const blockCalls = 100

// cleanBlocks is the number of pairs between garbage collections: those of the runtime would begin in one block of a
// pair and not in the other, at the cost of more than what is measured.
const cleanBlocks = 4

// Paired measures what each rival adds to base, in nanoseconds of a call by that clock, on one core, and what a call of
// base takes. The two blocks of a pair lie side by side, in an order that turns, and a difference is only ever taken
// within a pair. Garbage collection is left out.
func Paired(p Plan, clock func() time.Duration, blocks int, base func(), rivals ...func()) (added []Sample, total Sample) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	added = make([]Sample, len(rivals))
	for block := range blocks {
		if block%cleanBlocks == 0 {
			runtime.GC()
		}
		i := block % len(rivals)
		var plain, with float64
		if block/len(rivals)%2 == 0 {
			plain, with = callTime(clock, base), callTime(clock, rivals[i])
		} else {
			with, plain = callTime(clock, rivals[i]), callTime(clock, base)
		}
		added[i] = append(added[i], with-plain)
		total = append(total, plain)
		if block%100 == 99 {
			p.Dot()
		}
	}
	for _, rounds := range added {
		if len(rounds) > 0 && rounds.Median() > total.Median()/100 { // A ratio of two figures around 0 says nothing.
			p.Noise.record(Sample.Median, rounds)
		}
	}
	return added, total
}

func callTime(clock func() time.Duration, call func()) float64 {
	start := clock()
	for range blockCalls {
		call()
	}
	return float64(clock()-start) / blockCalls
}
