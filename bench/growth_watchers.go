package main

import (
	"google.golang.org/grpc/health"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
)

// measureGrowthWatchers measures what the number of Watch streams costs.
func measureGrowthWatchers(p measure.Plan) (found findings) {
	p = p.Times(0.25)
	g := growth{x: "watchers", figure: result.Figure{
		Name: "watchers", Title: "Growth with the number of watchers",
		Note: "Watch streams of one name, without a network. Memory includes the goroutine of each stream, 2 KiB at least.",
	}}
	equal := g.panel("Setting the status that it has", "ns", nameVitals, nameGRPC)
	told := g.panel("A change, until the last one is told", "ns", nameVitals, nameGRPC)
	memory := g.panel("Memory of a watcher", "B", nameVitals, nameGRPC)
	waits := g.panel("p99.9 of Check, a change every 20 ms", "ns", nameVitals, nameGRPC)
	for _, n := range p.Sizes(100, 1000, 10_000, 50_000) {
		size := float64(n)
		addCrowds(p, equal, memory, n)
		ours, theirs := lastTold(p.Rounds*3, n)
		told[0].Add(size, ours.Median())
		told[1].Add(size, theirs.Median())
		for i, server := range []statusServer{newServicer(), health.NewServer()} {
			waits[i].Add(size, tail(p.Total()*2, server, n).Quantile(0.999))
		}
		p.Dot()
	}
	found.figures = []result.Figure{g.figure}
	return found
}

// addCrowds measures what a crowd holds, and what it costs who sets its status.
func addCrowds(p measure.Plan, equal, memory []result.Line, n int) {
	subjects := make([]measure.Subject, len(memory))
	for i, build := range []func() statusServer{func() statusServer { return newServicer() }, func() statusServer { return health.NewServer() }} {
		var crowds []*crowd
		memory[i].Add(float64(n), held(n, func() any {
			server := build()
			subjects[i] = equalStatus(server)
			crowds = append(crowds, newCrowd(server, "watched", n))
			return crowds[len(crowds)-1]
		}))
		defer func() {
			for _, c := range crowds {
				c.leave()
			}
		}()
	}
	add(p, equal, n, subjects...)
}
