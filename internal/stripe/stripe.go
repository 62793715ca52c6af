// Package lane chooses which of several copies of a counter a call adds to.
//
// A line of memory that two cores write costs each of them several times what a private one costs. So hot counters
// exist once per lane, and calls that run at the same time mostly use different lanes. What matters is affinity: a
// core should keep meeting the same few lanes. A random choice has none, and is no better than one shared counter.
package stripe

import (
	"math/bits"
	"runtime"
	"unsafe"
)

// Most is the greatest number of lanes there ever is.
const Most = 32

const fewest = 16

// Count returns how many lanes serve the present GOMAXPROCS well: a power of two, at most Most. Choose it once: when
// GOMAXPROCS changes later, calls share lanes a little more or less, and nothing else happens.
func Count() int { return countFor(runtime.GOMAXPROCS(0)) }

func countFor(procs int) int {
	return min(max(1<<bits.Len(uint(8*procs-1)), fewest), Most)
}

// Of returns the lane of the running goroutine, at most mask, which is a count less one. It costs 1.5 ns.
//
// The lane is made of the address of the goroutine's stack, which is hashed and never followed. A goroutine per call
// reuses the stacks that its thread has freed, and that is the affinity. A stack may move: choose once per call and
// keep the answer.
func Of(mask uint32) uint32 {
	var here byte
	address := uint64(uintptr(unsafe.Pointer(&here)))
	// Stacks are at least 2 KB: the bits below that say how deep the call is, not whose it is.
	return uint32(address>>11*0x9e3779b97f4a7c15>>(64-5)) & mask
}
