package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	alexliesenfeld "github.com/alexliesenfeld/health"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// measureGrowthChecks measures what the number of checks costs.
func measureGrowthChecks(p measure.Plan) (found findings) {
	p = p.Times(0.25)
	long := time.Duration(max(1, p.Rounds/2)) * time.Second
	g := growth{x: "checks", figure: result.Figure{
		Name: "checks", Title: "Growth with the number of checks",
		Note: "Checks that pass at once. Each runs once a second.",
	}}
	round := g.panel("Processor time of the process in a second", "ns", nameVitals, nameAlex, "no checks at all")
	report := g.panel("Answering the report RPC", "ns", nameVitals)
	bytes := g.panel("Answering /health", "ns", nameVitals, nameAlex, nameHello)
	memory := g.panel("Memory of a check", "B", nameVitals, nameAlex, nameHello)
	for _, n := range p.Sizes(10, 100, 1000, 5000) {
		size := float64(n)
		round[0].Add(size, schedule(long, n, ourRounds))
		round[1].Add(size, schedule(long, n, alexRounds))
		round[2].Add(size, working(long))
		health, stop := judged(n, servicer.Config{})
		add(p, report, n, reports(health, nil))
		add(p, bytes, n, requests(ourHandler(health), "/health"), requests(alexHandler(n), "/health"), requests(helloHandler(n), "/health"))
		stop()
		for i, start := range []starter{ourRounds, alexRounds, helloRounds} {
			var stops []func()
			memory[i].Add(size, held(n, func() any {
				kept, stop := start(n, new(atomic.Int64))
				stops = append(stops, stop)
				return kept
			}))
			for _, stop := range stops {
				stop()
			}
		}
		p.Dot()
	}
	found.figures = []result.Figure{g.figure}
	return found
}

// starter starts n checks that run every second and count their runs, and returns when each has run.
type starter func(n int, runs *atomic.Int64) (kept any, stop func())

// schedule returns the CPU time of the process per second while n checks run once a second, measured for long.
func schedule(long time.Duration, n int, start starter) float64 {
	_, stop := start(n, new(atomic.Int64))
	defer stop()
	time.Sleep(100 * time.Millisecond) // Not what the start leaves behind.
	return working(long)
}

// working returns the CPU time of the process per second, in nanoseconds.
func working(long time.Duration) float64 {
	before := measure.CPU()
	time.Sleep(long)
	return float64(measure.CPU()-before) / long.Seconds()
}

// ourRounds is a starter.
func ourRounds(n int, runs *atomic.Int64) (kept any, stop func()) {
	checks := healthyChecks(n)
	for i := range checks {
		checks[i].Interval = time.Second
		checks[i].Run = func(context.Context) error { runs.Add(1); return nil }
	}
	asked, err := checker.New(checker.Config{Checks: checks})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = asked.Run(ctx) }()
	settle(n, runs)
	return asked, func() { cancel(); <-ended }
}

// alexRounds is a starter. That library's checks have a goroutine each.
func alexRounds(n int, runs *atomic.Int64) (kept any, stop func()) {
	options := []alexliesenfeld.CheckerOption{alexliesenfeld.WithDisabledAutostart()}
	for i := range n {
		options = append(options, alexliesenfeld.WithPeriodicCheck(time.Second, 0, alexliesenfeld.Check{
			Name: fmt.Sprintf("check%d", i), Check: func(context.Context) error { runs.Add(1); return nil },
		}))
	}
	ck := alexliesenfeld.NewChecker(options...)
	ck.Start()
	settle(n, runs)
	return ck, ck.Stop
}

// helloRounds is a starter in name only: that library has no schedule.
func helloRounds(n int, _ *atomic.Int64) (kept any, stop func()) { return helloHandler(n), func() {} }

// settle waits until all n checks have run.
func settle(n int, runs *atomic.Int64) {
	for runs.Load() < int64(n) {
		time.Sleep(time.Millisecond)
	}
}
