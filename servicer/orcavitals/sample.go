package orcavitals

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"
)

// sample is what could be known at one moment.
type sample struct {
	at     time.Time
	cpu    cpuSample // nil if unknown, as below
	memory float64   // unset if unknown
	used   float64   // what Config.Utilization returned; unset if unknown

	handled, failures, inFlight uint64
}

// sample takes one.
func (r *Reporter) sample(ctx context.Context) *sample {
	s := &sample{memory: unset, used: unset}
	cpu, err := r.machine.cpu(ctx)
	if err == nil {
		s.cpu = cpu
	}
	r.note(ctx, "cpu", err)
	memory, err := r.machine.memory(ctx)
	if err == nil {
		s.memory = memory
	}
	r.note(ctx, "memory", err)
	if r.cfg.Utilization != nil {
		s.used, err = utilization(r.cfg.Utilization)
		r.note(ctx, "utilization", err)
	}
	if r.cfg.Recorder != nil {
		for method := range r.cfg.Recorder.ServerTotals() {
			s.handled += method.Total.Handled
			s.failures += method.Total.Failures
			s.inFlight += method.Total.InFlight()
		}
	}
	// The clock is read when the counters are: waiting for the machine must not make a rate look larger.
	s.at = time.Now()
	return s
}

// utilization asks the application, whose panic is no reason to end the process.
func utilization(ask func() float64) (used float64, err error) {
	defer func() {
		if p := recover(); p != nil {
			used, err = unset, fmt.Errorf("panic: %v", p)
		}
	}()
	used = ask()
	if !(used >= 0) || math.IsInf(used, 0) {
		return unset, nil
	}
	return used, nil
}

// note logs when what is sampled begins to fail, and when it works again.
func (r *Reporter) note(ctx context.Context, what string, err error) {
	failing := err != nil
	if r.troubles[what] == failing || ctx.Err() != nil || errors.Is(err, errors.ErrUnsupported) {
		return
	}
	r.troubles[what] = failing
	if failing {
		r.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "load cannot be sampled and is not reported",
			slog.String("sampler", what), slog.Any("error", err))
		return
	}
	r.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "load is sampled again", slog.String("sampler", what))
}

// window holds the samples of the last while, oldest first.
type window struct {
	span    time.Duration
	samples []*sample
}

// add makes s the newest sample. One that is as old as the window is kept, as its beginning; after a pause that is longer
// than the window, the last one before it.
func (w *window) add(s *sample) {
	w.samples = append(w.samples, s)
	begin := s.at.Add(-w.span)
	for len(w.samples) > 2 && !w.samples[1].at.After(begin) {
		w.samples = w.samples[1:]
	}
}

// cpu returns the average share of the CPUs used, unset if it is unknown.
func (w *window) cpu() float64 {
	newest := w.samples[len(w.samples)-1].cpu
	if newest == nil {
		return unset
	}
	for _, s := range w.samples {
		if s.cpu == nil {
			continue
		}
		if share, err := newest.since(s.cpu); err == nil {
			return share
		}
	}
	return unset
}

// rates returns calls and failures a second. There must be two samples.
func (w *window) rates() (calls, failures float64) {
	oldest, newest := w.samples[0], w.samples[len(w.samples)-1]
	seconds := newest.at.Sub(oldest.at).Seconds()
	if seconds <= 0 {
		return unset, unset
	}
	return float64(newest.handled-oldest.handled) / seconds, float64(newest.failures-oldest.failures) / seconds
}

// inFlight returns how many calls were in flight, on average over the samples.
func (w *window) inFlight() float64 {
	var sum uint64
	for _, s := range w.samples {
		sum += s.inFlight
	}
	return float64(sum) / float64(len(w.samples))
}

// used returns the average of what the application has said, unset if the newest sample knows nothing.
func (w *window) used() float64 {
	if w.samples[len(w.samples)-1].used == unset {
		return unset
	}
	sum, n := 0.0, 0
	for _, s := range w.samples {
		if s.used != unset {
			sum, n = sum+s.used, n+1
		}
	}
	return sum / float64(n)
}
