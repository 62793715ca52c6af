package main

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	alexliesenfeld "github.com/alexliesenfeld/health"

	"github.com/vitals-go/vitals"
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
	round := g.panel("Processor time of the process in a second", "ns", nameVitals, "vitals, all of vitals.New", nameAlex, "no checks at all")
	report := g.panel("Answering the report RPC", "ns", nameVitals, "vitals, after a snapshot of 1,000 methods")
	bytes := g.panel("Answering /health", "ns", nameVitals, nameAlex, nameHello)
	memory := g.panel("Memory of a check", "B", nameVitals, nameAlex, nameHello)
	for _, n := range p.Sizes(10, 100, 1000, 9900) {
		addRounds(long, round, n)
		health, stop := evaluated(n, servicer.Config{})
		recorder := called(1000)
		withMethods, stopMethods := evaluated(n, servicer.Config{Recorder: recorder})
		add(p, report, n, reports(health, nil), reports(withMethods, recorder))
		stopMethods()
		add(p, bytes, n, requests(ourHandler(health), "/health"), requests(alexHandler(n), "/health"), requests(helloHandler(n), "/health"))
		stop()
		addCheckMemory(memory, n)
		p.Dot()
	}
	found.figures = []result.Figure{g.figure}
	found.goals = []result.Goal{
		grows("growth of running checks in the checker alone", round[0], 1000, 0),
		grows("growth of running checks in vitals.New", round[1], 1000, 0),
		grows("growth of the report with checks", report[0], 100, 0),
		grows("growth of /health with checks", bytes[0], 100, 0),
		grows("growth of memory with checks", memory[0], 100, 1),
	}
	return found
}

// addRounds adds the processor time without checks, which comes first because a peer's timers run on for a while, and with n.
func addRounds(long time.Duration, round []result.Line, n int) {
	runtime.GC()
	round[3].Add(float64(n), working(long))
	for i, start := range []starter{ourRounds, wholeRounds, alexRounds} {
		round[i].Add(float64(n), schedule(long, n, start))
	}
}

func addCheckMemory(memory []result.Line, n int) {
	for i, start := range []starter{ourRounds, alexRounds, helloRounds} {
		var stops []func()
		memory[i].Add(float64(n), held(n, func() any {
			kept, stop := start(n, new(atomic.Int64))
			stops = append(stops, stop)
			return kept
		}))
		for _, stop := range stops {
			stop()
		}
	}
}

// starter starts n checks that run every second and count their runs, and returns when each has run.
type starter func(n int, runs *atomic.Int64) (kept any, stop func())

// schedule returns the CPU time of the process per second while n checks run once a second, measured for long.
func schedule(long time.Duration, n int, start starter) float64 {
	_, stop := start(n, new(atomic.Int64))
	defer stop()
	runtime.GC() // what the start leaves behind
	time.Sleep(100 * time.Millisecond)
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
	c, err := checker.New(checker.Config{Checks: checks})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = c.Run(ctx) }()
	settle(n, runs)
	return c, func() { cancel(); <-ended }
}

// wholeRounds is a starter of package vitals, with the evaluation.
func wholeRounds(n int, runs *atomic.Int64) (kept any, stop func()) {
	cfg := vitals.Config{Logger: quiet(), Dependencies: healthyChecks(n), DrainDelay: -1}
	for i := range cfg.Dependencies {
		cfg.Dependencies[i].Interval = time.Second
		cfg.Dependencies[i].Run = func(context.Context) error { runs.Add(1); return nil }
	}
	h, err := vitals.New(cfg)
	if err != nil {
		panic(err)
	}
	stop = inBackground(h.Run)
	settle(n, runs)
	return h, stop
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
