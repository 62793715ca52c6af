package main

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// plan says how long to measure and how forgiving to be.
type plan struct {
	name   string
	rounds int           // each subject's turns
	turn   time.Duration // how long one turn takes
	margin float64       // how far a goal may be missed before the run fails: noise, not regressions
}

var (
	fullPlan  = plan{name: "full", rounds: 24, turn: 100 * time.Millisecond, margin: 1.15}
	shortPlan = plan{name: "short", rounds: 6, turn: 40 * time.Millisecond, margin: 1.6}
)

// subject is something whose cost for each operation is measured. run does n operations on the calling goroutine.
type subject struct {
	name string
	run  func(n int)
}

// sample holds one subject's nanoseconds per operation, a figure for each round.
type sample []float64

func (s sample) median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	return sorted[len(sorted)/2]
}

func (s sample) best() float64 { return slices.Min(s) }

// interleave measures the subjects in turns, the round being the outermost loop, so that whatever disturbs the machine
// disturbs all of them. workers is the number of goroutines that share the operations on cores cores.
func interleave(p plan, cores, workers int, subjects ...subject) []sample {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	samples := make([]sample, len(subjects))
	counts := make([]int, len(subjects))
	for i, s := range subjects {
		counts[i] = calibrate(p.turn, workers, s)
	}
	for range p.rounds {
		for i, s := range subjects {
			elapsed := share(counts[i], workers, s)
			samples[i] = append(samples[i], float64(elapsed.Nanoseconds())/float64(counts[i]))
		}
	}
	return samples
}

// calibrate finds how many operations fill a turn.
func calibrate(turn time.Duration, workers int, s subject) int {
	n := workers
	for {
		elapsed := share(n, workers, s)
		if elapsed > turn/4 {
			return max(workers, int(float64(n)*float64(turn)/float64(elapsed)))
		}
		n *= 4
	}
}

// share splits n operations over the workers and returns the wall time until the last one is done.
func share(n, workers int, s subject) time.Duration {
	if workers == 1 {
		start := time.Now()
		s.run(n)
		return time.Since(start)
	}
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	ready.Add(workers)
	for range workers {
		done.Go(func() {
			ready.Done()
			<-begin
			s.run(n / workers)
		})
	}
	ready.Wait()
	start := time.Now()
	close(begin)
	done.Wait()
	return time.Since(start)
}
