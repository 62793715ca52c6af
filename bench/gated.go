package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/bench/internal/gate"
	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
)

// gated are the experiments whose goals -check checks: those of one core that take a second or two.
var gated = []string{"unary", "streams", "methods", "check", "watch", "breakers", "http", "report", "gather", "call-allocations", "names-growth"}

// closely is the plan of an attempt. Turns are so short that some of them run without being disturbed even where
// several programs share the core, and the best one counts. Each attempt takes longer than the one before.
func closely(attempt int) measure.Plan {
	return measure.Plan{Rounds: 36 << attempt, Turn: 2 * time.Millisecond, Figure: measure.Sample.Best}
}

// checkGoals checks that no gated goal is missed by more than its margin, and that a regression would be detected.
func checkGoals(w io.Writer) error {
	load, begun := measure.StartLoad(), time.Now()
	factors, states := gatedFactors(), map[gate.State]int{}
	var failed []error
	for _, e := range experiments {
		if !e.named(gated) {
			continue
		}
		for _, row := range gate.Measure(factors, func(attempt int) []result.Goal { return e.measure(closely(attempt)).goals }) {
			fmt.Fprintln(w, row)
			states[row.State()]++
			if best := row.Best(); row.State() == gate.Behind {
				failed = append(failed, fmt.Errorf("behind: %s: measured %.3g in the best of %d attempts, goal %s, with its margin %.3g",
					best.What, best.Measured, len(row.Attempts), best.Promise(), row.Edge()))
			}
		}
	}
	failed = append(failed, selfTest(w, factors))
	fmt.Fprintf(w, "\n%d goals met, %d missed within their margins, %d behind, in %.0f s.\n",
		states[gate.Met], states[gate.WithinMargin], states[gate.Behind], time.Since(begun).Seconds())
	if others := load.Others(); others > result.BusyShare {
		fmt.Fprintf(w, "Other programs used %.0f %% of the processors meanwhile: a row that is behind may be met on a quiet machine.\n", 100*others)
	}
	return errors.Join(failed...)
}

// selfTest measures a recorder that is slow by design and makes sure that its row is behind.
func selfTest(w io.Writer, factors map[string]float64) error {
	for _, row := range gate.Measure(factors, func(attempt int) []result.Goal { return measureSlowed(closely(attempt)).goals }) {
		outcome := "passed: a regression of this size is detected"
		if row.State() != gate.Behind {
			outcome = "failed: a regression of this size is not detected"
		}
		fmt.Fprintf(w, "\nSelf-test, with a mutex and time.Now added to the recorder: measured %.3g, which must be above %.3g. It %s.\n",
			row.Best().Measured, row.Edge(), outcome)
		if row.State() != gate.Behind {
			return errors.New("self-test: a mutex and time.Now in the recorder were not detected")
		}
	}
	return nil
}

// measureSlowed measures the recorder with a mutex and time.Now around it.
func measureSlowed(p measure.Plan) (found findings) {
	recorder := newRecorder(1)
	var mu sync.Mutex
	var last time.Time
	slowed := func(ctx context.Context, in any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		mu.Lock()
		last = time.Now()
		mu.Unlock()
		defer func() {
			mu.Lock()
			last = time.Now()
			mu.Unlock()
		}()
		return recorder.UnaryServerInterceptor(ctx, in, info, handler)
	}
	one := measure.Interleave(p, 1, 1, twoClocks(), unarySubject(slowed, nil))
	_ = last
	found.goals = []result.Goal{atMost(1.5, "P1", "unary recorder against two clock readings", p.Figure(one[1]), p.Figure(one[0]))}
	return found
}
