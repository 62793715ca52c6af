package main

import (
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer"
)

// measureGrowthBreakers measures what the number of breakers costs.
func measureGrowthBreakers(p measure.Plan) (found findings) {
	p = p.Times(0.25)
	g := growth{x: "breakers", figure: result.Figure{
		Name: "breakers", Title: "Growth with the number of breakers",
		Note: "One core. Closed breakers, each of which has its row in the report and its series on the page.",
	}}
	report := g.panel("Answering the report RPC", "ns", nameVitals)
	gather := g.panel("Gathering for a scrape", "ns", nameVitals)
	memory := g.panel("Memory of a breaker", "B", nameVitals, nameGobreaker)
	for _, n := range p.Sizes(16, 128, 1024, 4096) {
		health, stop := evaluated(10, servicer.Config{Breakers: breakers(n)})
		collector, err := promvitals.New(promvitals.Config{Source: health})
		if err != nil {
			panic(err)
		}
		add(p, report, n, reports(health, nil))
		add(p, gather, n, gathering(collector))
		stop()
		memory[0].Add(float64(n), held(n, func() any { return breakers(n) }))
		memory[1].Add(float64(n), held(n, func() any { return gobreakers(n) }))
		p.Dot()
	}
	found.figures = []result.Figure{g.figure}
	found.goals = []result.Goal{
		grows("growth of the report with breakers", report[0], 128, 0),
		grows("growth of gathering with breakers", gather[0], 128, 0),
		grows("growth of memory with breakers", memory[0], 128, 1),
	}
	return found
}

func gobreakers(n int) (list []*gobreaker.CircuitBreaker[int]) {
	for range n {
		list = append(list, gobreaker.NewCircuitBreaker[int](gobreaker.Settings{Interval: 30 * time.Second, BucketPeriod: 3 * time.Second}))
	}
	return list
}
