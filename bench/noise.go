package main

import (
	"github.com/vitals-go/vitals/bench/internal/measure"
)

// measureNoise measures the same subject twice, in turns: the deviation of the ratio from 1 is the noise of the run.
func measureNoise(p measure.Plan) (found findings) {
	call := unarySubject(newRecorder(1).UnaryServerInterceptor, nil)
	one := measure.Interleave(p, 1, 1, call, call)
	two := twoCores(p, 2, call, call)
	found.goals = append(found.goals,
		compared("A/A", "recording a call against itself, one core", p.Figure(one[0]), p.Figure(one[1])),
		compared("A/A", "recording a call against itself, two cores", two[0], two[1]))
	return found
}

// twoCores measures subjects on two cores, in turns, with so many workers, and returns the best round of each: a virtual
// machine does not always have its second core. For subjects that contend for a lock this is the kinder rule: a round without
// the second core has no contention.
func twoCores(p measure.Plan, workers int, subjects ...measure.Subject) []float64 {
	p.Figure = measure.Sample.Best
	best := make([]float64, len(subjects))
	for i, sample := range measure.Interleave(p, 2, workers, subjects...) {
		best[i] = p.Figure(sample)
	}
	return best
}
