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
	// The scheduler alone uses what follows, under Checker.mu.
	lost      time.Duration // the watchdog's total when it was last asked about this run
	watched   bool          // the watchdog counts this run
	abandoned bool          // the scheduler no longer waits; the run does not count against Config.Parallel
	leaving   bool          // its check was removed
}

// returned is a run that has ended, on its way to the scheduler.
type returned struct {
	run     *run
	outcome *outcome
}

var (
	errGoexit   = errors.New("the check ended its goroutine (runtime.Goexit)")
	errUnending = errors.New("the run ignores its context")
)

// execute runs the check, survives whatever it does, and hands the outcome to the scheduler exactly once: by return,
// by panic and by Goexit. It is the body of the run's goroutine.
func (c *Checker) execute(ctx context.Context, r *run) {
	o := &outcome{event: panicked, err: errGoexit, ran: true}
	defer func() {
		o.duration = time.Since(r.started)
		r.cancel()
		c.deliver(returned{r, o})
	}()
	// The caller's hook is inside, so that its panic is caught too.
	defer o.rescue()
	o.run(ctx, &r.entry.check, c.wrap)
}

// rescue turns a panic into an outcome. It must be deferred itself: only then does recover see the panic.
func (o *outcome) rescue() {
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
			defer o.rescue()
		}
	}
	event, err := o.invoke(ctx, inner, check)
	// Error is user code: here it may block, like the check itself, until the run is abandoned.
	o.event, o.err = event, errtext.Capture(err)
}

// invoke calls the check with inner, again after a failure as long as there are retries and time, and classifies its
// last word by ctx, which nobody else can end.
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

// classifySafely is classify for errors whose own methods may panic: such an error is a failure like any other.
func (o *outcome) classifySafely(ctx context.Context, err error) (e event) {
	defer func() {
		if recover() != nil {
			e = failed
		}
	}()
	o.late = outOfTime(err)
	return classify(ctx, err)
}

// sleep waits for d and reports whether ctx still runs then.
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
