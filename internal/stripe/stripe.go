// Package stripe chooses which of several copies of a counter a call adds to.
//
// A cache line that two cores write costs each of them several times what a private one costs, so hot counters exist once
// per stripe. A core should keep using the same few stripes: a random choice is no better than one shared counter.
package stripe

import (
	"math/bits"
	"runtime"
	"unsafe"
)

// Most is the maximum number of stripes.
const Most = 32

const fewest = 16

// Count returns the number of stripes for the current GOMAXPROCS: a power of two, at most Most. It does not follow later
// changes of GOMAXPROCS, after which calls only share stripes more or less.
func Count() int { return countFor(runtime.GOMAXPROCS(0)) }

func countFor(procs int) int {
	return min(max(1<<bits.Len(uint(8*procs-1)), fewest), Most)
}

// Of returns the stripe of the calling goroutine, from 0 to mask, which is a count less one. It costs 1.5 ns.
//
// It hashes the address of the goroutine's stack. A goroutine per call reuses stacks that its thread has freed, which ties
// cores to stripes. A stack may move, so a call must keep the result.
func Of(mask uint32) uint32 {
	var here byte
	address := uint64(uintptr(unsafe.Pointer(&here)))
	// Stacks are at least 2 KB: lower bits depend on the depth of the call.
	return uint32(address>>11*0x9e3779b97f4a7c15>>(64-5)) & mask
}
