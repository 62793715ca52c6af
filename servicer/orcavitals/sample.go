package orcavitals

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"time"

	"github.com/vitals-go/vitals/checker/resource"
	"github.com/vitals-go/vitals/internal/usercode"
)

// machine is what a Reporter samples; tests replace it.
type machine interface {
	cpu(ctx context.Context) (cpuSample, error)
	memory(ctx context.Context) (float64, error)
}

// cpuSample is the CPU time used until a moment.
type cpuSample interface {
	// since returns the share of the CPUs used since an earlier sample of the same machine.
	since(before cpuSample) (float64, error)
}

type thisMachine struct{ limits resource.Config }

type realCPU struct{ resource.CPUSample }

func (m thisMachine) cpu(ctx context.Context) (cpuSample, error) {
	sample, err := resource.SampleCPU(ctx, m.limits)
	return realCPU{sample}, err
}

func (m thisMachine) memory(ctx context.Context) (float64, error) {
	return resource.MemoryUsage(ctx, m.limits)
}

func (s realCPU) since(before cpuSample) (float64, error) {
	return s.Since(before.(realCPU).CPUSample)
}

// sample is the load at one moment.
type sample struct {
	at          time.Time
	cpu         cpuSample // nil if unknown
	memory      float64   // unset if unknown
	application float64   // Config.Utilization; unset if unknown

	handled, failures, inFlight uint64
}

func (r *Reporter) sample(ctx context.Context) *sample {
	s := &sample{application: unset}
	var err error
	if s.cpu, err = r.machine.cpu(ctx); err != nil {
		s.cpu = nil
	}
	r.logState(ctx, "cpu", err)
	if s.memory, err = r.machine.memory(ctx); err != nil {
		s.memory = unset
	}
	r.logState(ctx, "memory", err)
	if r.cfg.Utilization != nil {
		s.application, err = utilization(r.cfg.Utilization)
		r.logState(ctx, "utilization", err)
	}
	if r.cfg.Recorder != nil {
		for method := range r.cfg.Recorder.ServerTotals() {
			s.handled += method.Total.Handled
			s.failures += method.Total.Failures
			s.inFlight += method.Total.InFlight()
		}
	}
	s.at = time.Now() // together with the counters: the samplers above may take a while
	return s
}

// utilization calls f; an error is its panic.
func utilization(f func() float64) (float64, error) {
	u, err := usercode.Call(f)
	if err != nil || !(u >= 0) || math.IsInf(u, 0) {
		return unset, err
	}
	return u, nil
}

// logState logs when a sampler starts to fail and when it works again.
func (r *Reporter) logState(ctx context.Context, sampler string, err error) {
	failing := err != nil
	if r.failing[sampler] == failing || ctx.Err() != nil || errors.Is(err, errors.ErrUnsupported) {
		return
	}
	r.failing[sampler] = failing
	level, message, attrs := slog.LevelInfo, "load sampling recovered", []slog.Attr{slog.String("sampler", sampler)}
	if failing {
		level, message, attrs = slog.LevelWarn, "load sampling failed", append(attrs, slog.Any("error", err))
	}
	r.log.Log(level, message, attrs...)
}

// window holds the newest samples, oldest first.
type window struct {
	span    time.Duration
	samples []*sample
}

// add adds s and drops samples older than the span; the last one before its begin stays, as there must be two.
func (w *window) add(s *sample) {
	w.samples = append(w.samples, s)
	begin := s.at.Add(-w.span)
	for len(w.samples) > 2 && !w.samples[1].at.After(begin) {
		w.samples = w.samples[1:]
	}
}

func (w *window) newest() *sample { return w.samples[len(w.samples)-1] }

// cpu returns the average share of the CPUs in use, unset if unknown.
func (w *window) cpu() float64 {
	newest := w.newest().cpu
	for _, s := range w.samples {
		if newest != nil && s.cpu != nil {
			if share, err := newest.since(s.cpu); err == nil {
				return share
			}
		}
	}
	return unset
}

// rates returns calls and failures per second.
func (w *window) rates() (calls, failures float64) {
	oldest, newest := w.samples[0], w.newest()
	seconds := newest.at.Sub(oldest.at).Seconds()
	if seconds <= 0 {
		return unset, unset
	}
	return float64(newest.handled-oldest.handled) / seconds, float64(newest.failures-oldest.failures) / seconds
}

// inFlight returns the average number of calls in flight.
func (w *window) inFlight() float64 {
	var sum uint64
	for _, s := range w.samples {
		sum += s.inFlight
	}
	return float64(sum) / float64(len(w.samples))
}

// application returns the average of Config.Utilization, unset if the newest sample is.
func (w *window) application() float64 {
	if w.newest().application == unset {
		return unset
	}
	sum, n := 0.0, 0
	for _, s := range w.samples {
		if s.application != unset {
			sum, n = sum+s.application, n+1
		}
	}
	return sum / float64(n)
}
