package main

import (
	"os"
	"sync"
	"time"

	"github.com/vitals-go/vitals/bench/internal/child"
	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
)

// idleWindow contains one run of every check at the default interval, jitter included.
const idleWindow = 35 * time.Second

// measureGrowthIdle measures the processor time of idle programs, which idle at the same time.
func measureGrowthIdle(p measure.Plan) (found findings) {
	vitals, peer, folder := buildPrograms()
	defer func() { _ = os.RemoveAll(folder) }()
	g := growth{figure: result.Figure{
		Name: "idle", Title: "Growth of an idle minute",
		Note: "Processor time of a whole program without calls, checks at the default interval of 30 s. The peers' stack is go-grpc-middleware, grpc-go health, promhttp and a loop that runs the checks.",
	}}
	checks, methods := p.Sizes(10, 100, 1000, 9900), p.Sizes(10, 100, 1000, 10_000)
	g.x = "checks"
	byChecks := g.panel("Processor time of an idle minute", "ns", nameVitals, "the peers' stack")
	g.x = "methods"
	byMethods := g.panel("Processor time of an idle minute", "ns", nameVitals)
	var idling sync.WaitGroup
	costs := make([]child.Cost, 2*len(checks)+len(methods))
	idle := func(i int, program program, checks, methods int) {
		idling.Go(func() { costs[i] = program.idle(idleWindow, checks, methods) })
	}
	for i, n := range checks {
		idle(2*i, vitals, n, 10)
		idle(2*i+1, peer, n, 10)
	}
	for i, n := range methods {
		idle(2*len(checks)+i, vitals, child.Checks, n)
	}
	idling.Wait()
	for i, n := range checks {
		byChecks[0].Add(float64(n), float64(costs[2*i].CPU))
		byChecks[1].Add(float64(n), float64(costs[2*i+1].CPU))
	}
	for i, n := range methods {
		byMethods[0].Add(float64(n), float64(costs[2*len(checks)+i].CPU))
	}
	found.figures = []result.Figure{g.figure}
	found.goals = []result.Goal{
		grows("growth of an idle minute with checks", byChecks[0], 1000, 0),
		grows("growth of an idle minute with methods", byMethods[0], 10, 0),
	}
	return found
}
