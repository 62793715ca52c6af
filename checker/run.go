package checker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"time"

	"github.com/vitals-go/vitals/internal/errtext"
)

// run is one run of a check, in flight.
type run struct {
	entry    *entry
	started  time.Time
	deadline time.Time
	cancel   context.CancelFunc
	draw     float64 // of the jitter of the next start, in [0, 1)
	// Checker.mu guards the rest.
	lost      time.Duration // the watchdog's total when it was last read for this run
	watched   bool          // the watchdog counts this run
	abandoned bool          // no longer counted against Config.MaxConcurrent
	outcome   outcome       // of the goroutine, until it has ended
	values    values        // locks itself
}

var (
	errPanic  = errors.New("panic")
	errGoexit = errors.New("the check ended its goroutine (runtime.Goexit)")
	errStuck  = errors.New("the run ignores its context")
)

// execute is the goroutine of a run. It delivers one outcome, also after a panic or Goexit.
func (c *Checker) execute(ctx context.Context, r *run) {
	o := &r.outcome
	*o = outcome{event: panicked, err: errGoexit, ran: true}
	defer func() {
		o.duration, o.values = time.Since(r.started), r.values.end()
		r.cancel()
		c.mu.Lock()
		c.finished = append(c.finished, r)
		c.mu.Unlock()
		c.wake()
	}()
	defer o.recover() // also of panics in wrap
	c.call(ctx, r, o)
}

// recover records a panic. It must be deferred itself.
func (o *outcome) recover() {
	if cause := recover(); cause != nil {
		o.event, o.stack = panicked, debug.Stack()
		o.err = fmt.Errorf("%w: %s", errPanic, errtext.Panic(cause))
	}
}

func (c *Checker) call(ctx context.Context, r *run, o *outcome) {
	inner, check := ctx, &r.entry.check
	if c.wrap != nil {
		wrapped, end := c.wrap(ctx, check.Name)
		if wrapped != nil {
			inner = wrapped
		}
		if end != nil {
			defer func() { end(o.err) }()
			defer o.recover()
		}
	}
	event, err := o.invoke(ctx, context.WithValue(inner, valuesKey{}, &r.values), check)
	// Error is user code: it may block until the run is abandoned.
	o.event, o.err = event, errtext.Capture(err)
}

// invoke calls the check with inner, and again after a failure while there are retries and time. It classifies the last
// result by ctx.
func (o *outcome) invoke(ctx, inner context.Context, check *Check) (event, error) {
	pause := check.Timeout / 50
	for n := 0; ; n++ {
		err := o.attempt(inner, check)
		event := o.classify(ctx, err)
		o.measured = o.measured && (event == passed || event == degraded)
		if event != failed || n >= check.Retries || !sleep(ctx, pause) {
			return event, err
		}
		pause *= 2
	}
}

func (o *outcome) attempt(ctx context.Context, check *Check) error {
	if check.Run != nil {
		return check.Run(ctx)
	}
	m, err := check.Measure(ctx)
	if !finite(m.Value) {
		return cmp.Or(err, errNotFinite(m.Value))
	}
	o.measured = err == nil || m != Measurement{}
	if o.measured {
		m.Unit = cmp.Or(m.Unit, "1")
		o.measurement = m
	}
	return err
}

func finite(number float64) bool { return !math.IsNaN(number) && !math.IsInf(number, 0) }

func errNotFinite(number float64) error { return fmt.Errorf("measured %v", number) }

// classify is the function of that name, where a panic in a method of err is a failure.
func (o *outcome) classify(ctx context.Context, err error) (e event) {
	defer func() {
		if recover() != nil {
			e = failed
		}
	}()
	o.late = isTimeout(err)
	e, o.text = classify(ctx, err)
	return e
}

// sleep waits for d and reports whether ctx is still valid then.
func sleep(ctx context.Context, d time.Duration) bool {
	pause, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-pause.Done()
	return ctx.Err() == nil
}
