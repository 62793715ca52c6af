package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	alexliesenfeld "github.com/alexliesenfeld/health"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
	"github.com/vitals-go/vitals/checker"
)

// The checks of measureCheckRuns run a hundred times a second together.
const (
	runningChecks = 10
	runInterval   = 100 * time.Millisecond
)

// measureCheckRuns compares the processor time of one run of a check: in the whole of package vitals, in a checker alone,
// and in a peer.
func measureCheckRuns(p measure.Plan) (found findings) {
	turn := min(p.Total(), 3*time.Second)
	var whole, alone, peer measure.Sample
	for range 5 {
		whole = append(whole, perRun(turn, startWhole))
		alone = append(alone, perRun(turn, startChecker))
		peer = append(peer, perRun(turn, startPeer))
		p.Dot()
	}
	found.goals = []result.Goal{
		atMost(1.3, "P15", "run of a check in vitals.New, against the checker alone", p.Figure(whole), p.Figure(alone)),
		atMost(5, "P15", "run of a check, against alexliesenfeld/health", p.Figure(alone), p.Figure(peer)),
	}
	return found
}

// perRun returns the processor time of the process for each run of the checks that start starts.
func perRun(long time.Duration, start func(run func(context.Context) error) (stop func())) float64 {
	var runs atomic.Int64
	stop := start(func(context.Context) error { runs.Add(1); return nil })
	defer stop()
	time.Sleep(3 * runInterval) // the end of the start
	before, ran := measure.CPU(), runs.Load()
	time.Sleep(long)
	return float64(measure.CPU()-before) / float64(max(runs.Load()-ran, 1))
}

func runningCheck(i int, run func(context.Context) error) checker.Check {
	return checker.Check{Name: fmt.Sprint("dependency", i), Interval: runInterval, Run: run}
}

func startWhole(run func(context.Context) error) (stop func()) {
	cfg := vitals.Config{DrainDelay: -1}
	cfg.Logger = quiet()
	for i := range runningChecks {
		cfg.Dependencies = append(cfg.Dependencies, runningCheck(i, run))
	}
	h, err := vitals.New(cfg)
	if err != nil {
		panic(err)
	}
	return inBackground(h.Run)
}

func startChecker(run func(context.Context) error) (stop func()) {
	cfg := checker.Config{Logger: quiet()}
	for i := range runningChecks {
		cfg.Checks = append(cfg.Checks, runningCheck(i, run))
	}
	c, err := checker.New(cfg)
	if err != nil {
		panic(err)
	}
	return inBackground(c.Run)
}

func startPeer(run func(context.Context) error) (stop func()) {
	var options []alexliesenfeld.CheckerOption
	for i := range runningChecks {
		options = append(options, alexliesenfeld.WithPeriodicCheck(runInterval, 0, alexliesenfeld.Check{
			Name: fmt.Sprint("dependency", i), Check: run,
		}))
	}
	return alexliesenfeld.NewChecker(options...).Stop
}

// inBackground runs run until stop is called.
func inBackground(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = run(ctx)
	}()
	return func() { cancel(); <-ended }
}

// quiet is a logger that drops everything.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
