package checker

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// returnGrace is how long after its deadline a run may still return. A run that ends with its context then reports
	// its own error and is not abandoned.
	returnGrace = 10 * time.Millisecond
	// A publication costs a pointer per check. With more checks than unthrottledChecks there is at least publishPerCheck
	// for each between two publications, so that they take a small share of a core only.
	unthrottledChecks = 256
	publishPerCheck   = 2 * time.Microsecond
	// Up to maxTogether runs start together and share their jitter. Waking an idle process costs more than most checks do.
	maxTogether = 32
)

// step does all work that is due and returns when there is more, zero for never.
func (c *Checker) step(now time.Time) (next time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session.ctx.Err() != nil {
		return next // failures are now caused by the end of Run
	}
	c.collect(now, true)
	for len(c.timers) > 0 && !c.timers[0].wake.After(now) {
		c.handleDue(c.timers[0], now)
	}
	c.pullForward(now)
	c.startRuns(now)
	if len(c.timers) > 0 {
		next = c.timers[0].wake
	}
	if !c.dirty && len(c.completed) == 0 {
		return next
	}
	if at := c.published.Add(c.publishInterval()); at.After(now) {
		return earlier(next, at)
	}
	c.publish(now)
	return next
}

// publishInterval is the least time between two publications.
func (c *Checker) publishInterval() time.Duration {
	if len(c.entries) <= unthrottledChecks {
		return 0
	}
	return time.Duration(len(c.entries)) * publishPerCheck
}

// publish makes the results the newest snapshot and wakes callers of Refresh.
func (c *Checker) publish(now time.Time) {
	c.revision++
	results := make([]*Result, len(c.entries))
	for i, e := range c.entries {
		results[i] = e.result
	}
	c.snapshots.Store(&Snapshot{Revision: c.revision, Results: results})
	c.dirty, c.published = false, now
	for _, completed := range c.completed {
		close(completed)
	}
	clear(c.completed)
	c.completed = c.completed[:0]
}

// collect applies the outcomes of runs that have ended, or only frees their places if evaluate is false.
func (c *Checker) collect(now time.Time, evaluate bool) {
	for _, r := range c.finished {
		e, abandoned := r.entry, r.abandoned
		e.run = nil
		if e.removed {
			c.detached--
			continue
		}
		if !abandoned {
			c.discount(r, now)
		}
		c.release(r)
		if !evaluate {
			continue
		}
		if !abandoned {
			e.started = r.started
			c.evaluate(e, &r.outcome, now)
			interval := e.check.interval(e.result)
			e.due = nextStart(r.started, now, interval, e.check.Jitter, r.draw)
			e.earliest = nextStart(r.started, now, interval, e.check.Jitter, 0)
		}
		c.reschedule(e)
	}
	clear(c.finished)
	c.finished = c.finished[:0]
}

// discount turns an outcome that was caused by this process into a sign of starvation: a timeout while the process
// starved, and a success so late that the run would have been abandoned, had the process not been suspended meanwhile.
func (c *Checker) discount(r *run, now time.Time) {
	e, o := r.entry, &r.outcome
	starves := c.starves(r, now, o.duration)
	outOfTime := o.event == timedOut || o.event == failed && o.late
	tooLate := (o.event == passed || o.event == degraded) && o.duration > e.check.Timeout+returnGrace && e.result.Status != Healthy
	switch {
	case starves && outOfTime || tooLate:
		o.event = starved
	case !starves:
		o.degradeSlow(&e.check)
	}
}

// degradeSlow makes a success degraded that was nearly a timeout.
func (o *outcome) degradeSlow(c *Check) {
	from := time.Duration(c.SlowShare * float64(c.Timeout))
	if o.event != passed || from < 0 || o.duration < from || o.duration > c.Timeout+returnGrace {
		return
	}
	o.event, o.text = degraded, fmt.Sprintf("it took %v of its timeout of %v", o.duration.Round(time.Millisecond), c.Timeout)
	o.err = Degraded(o.text, nil)
}

// starves reports whether the process starved during the last length of r.
func (c *Checker) starves(r *run, now time.Time, length time.Duration) bool {
	if !r.watched {
		return false
	}
	before := r.lost
	r.lost = c.watchdog.total(now)
	return starving(r.lost-before, length)
}

func (c *Checker) unwatch(r *run) {
	if r.watched {
		r.watched = false
		c.watchdog.end()
	}
}

// release stops counting r.
func (c *Checker) release(r *run) {
	if !r.abandoned {
		r.abandoned = true
		c.running--
	}
	c.unwatch(r)
}

// handleDue handles e at its wake time.
func (c *Checker) handleDue(e *entry, now time.Time) {
	late := now.Sub(e.wake)
	suspended := late >= max(cmp.Or(e.check.TTL, e.check.Interval), minStarvation) // the scheduler did not run for a whole interval
	switch {
	case e.running() && now.Sub(e.run.deadline) >= returnGrace:
		c.abandon(e, now, late)
	case e.stuck() && !e.due.After(now):
		c.recordMissed(e, &outcome{event: timedOut, err: errStuck, duration: e.retryInterval()}, now, 0)
	case e.expired(now) && !suspended:
		c.evaluate(e, &outcome{event: inconclusive, err: e.result.Err}, now)
	default:
		if suspended && !e.expiry().IsZero() {
			c.evaluate(e, &outcome{event: starved, err: e.result.Err}, now)
		}
		c.enqueue(e)
	}
	c.reschedule(e)
}

// enqueue makes e wait for a free run, unless it does or has one, or is pushed.
func (c *Checker) enqueue(e *entry) {
	if e.run == nil && !e.queued && e.check.TTL == 0 {
		e.queued = true
		c.queue = append(c.queue, e)
	}
}

// abandon stops waiting for e's run, which has ignored its deadline.
func (c *Checker) abandon(e *entry, now time.Time, late time.Duration) {
	c.running--
	e.run.abandoned = true
	c.recordMissed(e, &outcome{
		event: timedOut, ran: true, abandoned: true, duration: now.Sub(e.run.started),
		err: fmt.Errorf("no answer within %v: %w", e.check.Timeout, context.DeadlineExceeded),
	}, now, late)
}

// recordMissed applies the timeout o of e's run. The run stays watched until a timeout that starvation does not explain.
func (c *Checker) recordMissed(e *entry, o *outcome, now time.Time, late time.Duration) {
	if c.starves(e.run, now, o.duration) || starving(late, o.duration) {
		o.event = starved
	} else {
		c.unwatch(e.run)
	}
	e.started = e.run.started
	c.evaluate(e, o, now)
	e.schedule(now.Add(e.retryInterval()))
}

// retryInterval is the time between two timeouts of an abandoned run: what a run in its place would take.
func (e *entry) retryInterval() time.Duration { return max(e.check.FailingInterval, e.check.Timeout) }

// pullForward adds to the runs that start now those that are due next and may start as early as now by their jitter.
func (c *Checker) pullForward(now time.Time) {
	free := min(c.parallel-c.running, maxTogether)
	for len(c.queue) > 0 && len(c.queue) < free && len(c.timers) > 0 {
		e := c.timers[0]
		if e.run != nil || e.queued || e.check.TTL > 0 || e.earliest.After(now) {
			return
		}
		c.enqueue(e)
		c.reschedule(e)
	}
}

// startRuns starts queued runs up to Config.MaxConcurrent.
func (c *Checker) startRuns(now time.Time) {
	var draw float64
	for n := 0; c.running < c.parallel && len(c.queue) > 0; n++ {
		if n%maxTogether == 0 {
			draw = rand.Float64()
		}
		e := c.queue[0]
		c.queue[0], c.queue = nil, c.queue[1:]
		e.queued = false
		c.running++
		r := &run{
			entry: e, started: now, deadline: now.Add(e.check.Timeout), watched: true, lost: c.watchdog.begin(now),
			draw: draw,
		}
		var ctx context.Context
		ctx, r.cancel = context.WithDeadline(c.session.ctx, r.deadline)
		e.run = r
		go c.execute(ctx, r) // not in a WaitGroup: it may never return
		c.reschedule(e)
	}
}

// evaluate evaluates o, and logs a transition or, while a failure lasts, a reminder.
func (c *Checker) evaluate(e *entry, o *outcome, now time.Time) {
	before := e.evaluate(o, now)
	c.dirty = true
	if o.ran {
		c.notify(e)
	}
	if len(e.check.DependsOn) > 0 {
		c.linked = true
		c.explain(e)
	}
	defer c.explainOthers(e, now)
	changed := isTransition(before, e.result)
	if changed || e.result.Status != Healthy && now.Sub(e.logged) >= reminderInterval {
		e.logged = now
		c.logResult(before, e.result, o, changed)
	}
}

// isTransition reports whether the log shows the change. The half-open probes of a breaker fail between the runs that it
// rejects: that is one failure and no series of transitions.
func isTransition(before, after *Result) bool {
	switch {
	case before.Status != after.Status, before.CausedBy != "" && after.CausedBy == "":
		return true
	case before.Reason == after.Reason:
		return false
	}
	unanswered := func(r *Result) bool {
		return r.Reason == ReasonCircuitOpen || r.Reason == ReasonError || r.Reason == ReasonTimeout
	}
	guarded := before.Reason == ReasonCircuitOpen || after.Reason == ReasonCircuitOpen
	return !guarded || !unanswered(before) || !unanswered(after)
}

// notify makes the next publication wake the callers of Refresh that wait for e.
func (c *Checker) notify(e *entry) {
	if e.completed != nil {
		c.completed = append(c.completed, e.completed)
		e.completed = nil
	}
}

// reschedule sets the timer of e.
func (c *Checker) reschedule(e *entry) {
	if wake := e.nextWake(); wake.IsZero() {
		c.timers.remove(e)
	} else {
		c.timers.set(e, wake)
	}
}
