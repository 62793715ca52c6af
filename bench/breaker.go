package main

import (
	"testing"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
)

// measureBreaker compares breakers on one core.
func measureBreaker(p measure.Plan) (found findings) {
	ours, refusing := ourBreaker(false), ourBreaker(true)
	rejecting := measure.Interleave(p, 1, 1, refusing, rollingGobreaker(true))
	found.goals = []result.Goal{
		allocations(0, "P8", "allocations of a closed breaker", testing.AllocsPerRun(1000, func() { ours(1) })),
		allocations(0, "P8", "allocations of a rejection", testing.AllocsPerRun(1000, func() { refusing(1) })),
		atLeast(2, "P8", "rejection cheaper than gobreaker v2's", p.Figure(rejecting[1]), p.Figure(rejecting[0])),
	}
	names, subjects := otherBreakers()
	one := measure.Interleave(p, 1, 1, append([]measure.Subject{ours}, subjects...)...)
	for i, name := range names {
		goal := 0.0 // no goal, but the row is reported
		if i == 0 {
			goal = 3
		}
		found.goals = append(found.goals, atLeast(goal, "P8", "closed, cheaper than "+name, p.Figure(one[i+1]), p.Figure(one[0])))
	}
	return found
}

// measureBreakerCores compares them on two cores.
func measureBreakerCores(p measure.Plan) (found findings) {
	names, subjects := otherBreakers()
	many := twoCores(p, 128, append([]measure.Subject{ourBreaker(false)}, subjects...)...)
	for i, name := range names {
		goal := 0.0
		if i == 0 {
			goal = 10
		}
		found.goals = append(found.goals,
			atLeast(goal, "P8", "closed, 2 cores × 64 goroutines, cheaper than "+name, many[i+1], many[0]))
	}
	return found
}
