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

// gated are the experiments whose goals are watched: those of one core.
var gated = []string{"unary", "streams", "methods", "check", "watch", "breakers", "doors", "report", "gather"}

// closely is the plan of an attempt. Turns are so short that some of them run without being disturbed even where
// several programs share the core, and the best one counts. Each attempt looks longer than the one before.
func closely(attempt int) measure.Plan {
	return measure.Plan{Rounds: 40 << attempt, Turn: 2 * time.Millisecond, Figure: measure.Sample.Best}
}

// watch makes sure that no watched goal is missed by more than noise explains, and that a loss would be seen.
func watch(w io.Writer) error {
	begun := time.Now()
	var failed []error
	factors := watched()
	for _, e := range experiments {
		if !e.named(gated) {
			continue
		}
		if !gate.Watch(w, factors, func(attempt int) []result.Goal { return e.measure(closely(attempt)).goals }) {
			failed = append(failed, fmt.Errorf("%s: behind its goal in each of %d attempts", e.title, gate.Attempts))
		}
	}
	fmt.Fprintln(w, "\nand a recorder that was made slow on purpose:")
	if gate.Watch(w, factors, func(attempt int) []result.Goal { return measureSlowed(closely(attempt)).goals }) {
		failed = append(failed, errors.New("a mutex and time.Now in the recorder were not noticed"))
	}
	fmt.Fprintf(w, "\nThis took %.0f s.\n", time.Since(begun).Seconds())
	return errors.Join(failed...)
}

// measureSlowed measures the recorder behind what must never come into it.
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
	found.goals = []result.Goal{atMost(1.7, "P1", "unary recorder against two clock readings", p.Figure(one[1]), p.Figure(one[0]))}
	return found
}
