package measure

import (
	"runtime"
	"time"
)

// blockCalls is how many calls one block has: enough to make the clock's readings cheap, few enough that the two blocks
// of a pair see the same machine.
const blockCalls = 300

// Paired measures what each rival adds to base, in nanoseconds of a call, on one core, and what a call of base takes.
// The two blocks of a pair lie side by side, in an order that turns, and a difference is only ever taken within a pair.
func Paired(p Plan, blocks int, base func(), rivals ...func()) (added []Sample, total Sample) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	added = make([]Sample, len(rivals))
	for block := range blocks {
		i := block % len(rivals)
		var plain, with float64
		if block/len(rivals)%2 == 0 {
			plain, with = callTime(base), callTime(rivals[i])
		} else {
			with, plain = callTime(rivals[i]), callTime(base)
		}
		added[i] = append(added[i], with-plain)
		total = append(total, plain)
		if block%100 == 99 {
			p.Dot()
		}
	}
	return added, total
}

func callTime(call func()) float64 {
	start := time.Now()
	for range blockCalls {
		call()
	}
	return float64(time.Since(start).Nanoseconds()) / blockCalls
}
