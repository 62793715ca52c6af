package measure

import "runtime"

// Memory is what the process holds after garbage collection, in bytes: the heap and the stacks of goroutines.
func Memory() float64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC() // The first one only drops what pools hold.
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc + stats.StackInuse)
}

// Allocations counts what do allocates, on all goroutines.
func Allocations(do func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs - before.Mallocs)
}
