package checker

import (
	"context"
	"errors"
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
	// Checker.mu guards the rest.
	lost      time.Duration // the watchdog's total when it was last read for this run
	watched   bool          // the watchdog counts this run
	abandoned bool          // no longer counted against Config.Parallel
	detached  bool          // its check was removed
}

// returned is a run that has ended, for the scheduler.
type returned struct {
	run     *run
	outcome *outcome
}

var (
	errGoexit = errors.New("the check ended its goroutine (runtime.Goexit)")
	errStuck  = errors.New("the run ignores its context")
)

// execute is the goroutine of a run. It delivers one outcome, also after a panic or Goexit.
func (c *Checker) execute(ctx context.Context, r *run) {
	o := &outcome{event: panicked, err: errGoexit, ran: true}
	defer func() {
		o.duration = time.Since(r.started)
		r.cancel()
		c.deliver(returned{r, o})
	}()
	defer o.recover() // also of panics in wrap
	o.run(ctx, &r.entry.check, c.wrap)
}

// recover records a panic. It must be deferred itself.
func (o *outcome) recover() {
	if cause := recover(); cause != nil {
		o.event, o.stack = panicked, debug.Stack()
		o.err = newPanicError(cause)
	}
}

// wrapFunc is Config.Wrap.
type wrapFunc func(ctx context.Context, name string) (context.Context, func(error))

func (o *outcome) run(ctx context.Context, check *Check, wrap wrapFunc) {
	inner := ctx
	if wrap != nil {
		wrapped, end := wrap(ctx, check.Name)
		if wrapped != nil {
			inner = wrapped
		}
		if end != nil {
			defer func() { end(o.err) }()
			defer o.recover()
		}
	}
	event, err := o.invoke(ctx, inner, check)
	// Error is user code: it may block until the run is abandoned.
	o.event, o.err = event, errtext.Capture(err)
}

// invoke calls the check with inner, and again after a failure while there are retries and time. It classifies the last
// result by ctx.
func (o *outcome) invoke(ctx, inner context.Context, check *Check) (event, error) {
	pause := check.Timeout / 50
	for attempt := 0; ; attempt++ {
		err := o.call(inner, check)
		event := o.classifySafely(ctx, err)
		if event != failed || attempt >= check.Retries || !sleep(ctx, pause) {
			return event, err
		}
		pause *= 2
	}
}

func (o *outcome) call(ctx context.Context, check *Check) error {
	if check.Run != nil {
		return check.Run(ctx)
	}
	m, err := check.Measure(ctx)
	if err != nil {
		return err
	}
	return o.measure(m)
}

// classifySafely is classify, where a panic in a method of err is a failure.
func (o *outcome) classifySafely(ctx context.Context, err error) (e event) {
	defer func() {
		if recover() != nil {
			e = failed
		}
	}()
	o.late = isTimeout(err)
	return classify(ctx, err)
}

// sleep waits for d and reports whether ctx is still valid then.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
