package measure

import (
	"runtime"
	"sync"
	"time"
)

// Subject is something whose cost for each operation is measured: it does n operations on the calling goroutine. Where
// there are several workers, each calls it.
type Subject func(n int)

// Interleave measures the subjects in turns, the round being the outermost loop, and returns the nanoseconds of an
// operation, a Sample for each subject. workers goroutines share the operations, on that many cores. Each turn begins
// with a clean heap: what one subject leaves behind is not cleared away at the cost of the next.
func Interleave(p Plan, cores, workers int, subjects ...Subject) []Sample {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	samples := make([]Sample, len(subjects))
	counts := make([]int, len(subjects))
	for i, s := range subjects {
		counts[i] = calibrate(p.Turn, workers, s)
	}
	for range p.Rounds {
		for i, s := range subjects {
			runtime.GC()
			elapsed := share(counts[i], workers, s)
			samples[i] = append(samples[i], float64(elapsed.Nanoseconds())/float64(counts[i]))
		}
	}
	for _, rounds := range samples {
		p.Noise.record(p.Figure, rounds)
	}
	p.Dot()
	return samples
}

// calibrate finds how many operations fill a turn: a multiple of workers.
func calibrate(turn time.Duration, workers int, s Subject) int {
	n := workers
	for {
		elapsed := share(n, workers, s)
		if elapsed > turn/4 {
			each := float64(n) / float64(workers) * float64(turn) / float64(elapsed)
			return workers * max(1, int(each))
		}
		n *= 4
	}
}

// share splits n operations over the workers and returns the wall time until the last one is done.
func share(n, workers int, s Subject) time.Duration {
	if workers == 1 {
		start := time.Now()
		s(n)
		return time.Since(start)
	}
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	ready.Add(workers)
	for range workers {
		done.Go(func() {
			ready.Done()
			<-begin
			s(n / workers)
		})
	}
	ready.Wait()
	start := time.Now()
	close(begin)
	done.Wait()
	return time.Since(start)
}
