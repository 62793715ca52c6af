package main

import (
	"context"
	"slices"
	"sync"
	"time"
)

// flow is one kind of call, made again and again.
type flow struct {
	rate float64 // calls a second; 0: each caller sends the next when it has the answer to the last
	call func(context.Context) error
}

// outcome is what came of a flow in one stage.
type outcome struct {
	target float64 // calls a second; 0: as many as possible
	done   float64 // calls a second that were answered
	failed int
	first  error           // of those that failed
	took   []time.Duration // of those that were answered, in order
}

// quantile returns the time within which the share q of the calls was answered.
func (o outcome) quantile(q float64) time.Duration {
	if len(o.took) == 0 {
		return 0
	}
	return o.took[min(int(q*float64(len(o.took))), len(o.took)-1)]
}

const mostCallers = 256

// callers are enough to keep up the rate while a call takes 20 ms, so that a slow server gets fewer calls rather than
// drowned by more and more callers.
func (f flow) callers() int {
	if f.rate == 0 {
		return mostCallers
	}
	return min(max(int(f.rate/50), 2), mostCallers)
}

// run makes the calls for the time given and returns when the last is answered.
func (f flow) run(ctx context.Context, d time.Duration) outcome {
	var (
		callers = f.callers()
		parts   = make([]outcome, callers)
		wg      sync.WaitGroup
		start   = time.Now()
	)
	for i := range callers {
		wg.Go(func() { parts[i] = f.caller(ctx, start, d, i, callers) })
	}
	wg.Wait()
	total := outcome{target: f.rate}
	for _, part := range parts {
		total.took = append(total.took, part.took...)
		total.failed += part.failed
		if total.first == nil {
			total.first = part.first
		}
	}
	total.done = float64(len(total.took)) / time.Since(start).Seconds()
	slices.Sort(total.took)
	return total
}

// caller makes every callers-th call of the flow. One that is late makes its next call at once; the very first call is
// made however late it is.
func (f flow) caller(ctx context.Context, start time.Time, d time.Duration, i, callers int) (o outcome) {
	for n := 0; ; n++ {
		if f.rate > 0 {
			pause(ctx, start.Add(time.Duration(float64(n*callers+i)/f.rate*float64(time.Second))))
		}
		sent := time.Now()
		if first := n == 0 && i == 0; sent.Sub(start) >= d && !first || ctx.Err() != nil {
			return o
		}
		if err := f.call(ctx); err != nil {
			if ctx.Err() != nil {
				return o
			}
			o.failed++
			o.first = err
			continue
		}
		o.took = append(o.took, time.Since(sent))
	}
}

func pause(ctx context.Context, until time.Time) {
	wait := time.Until(until)
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
