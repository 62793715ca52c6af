package checker

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// returnGrace is how long after its deadline a run may still return by itself: one that heeds its context gets
	// to say what it was waiting for, and is not taken for one that ignores it.
	returnGrace = 10 * time.Millisecond
	// Publishing costs a pointer per check. From smallFleet checks on results are gathered first, for gatherPerCheck
	// each, so that publishing never takes more than a small share of a core.
	smallFleet     = 256
	gatherPerCheck = 2 * time.Microsecond
)

// step does all that is to be done at now and returns when to look again, false for never.
func (c *Checker) step(now time.Time) (next time.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session.ctx.Err() != nil {
		return time.Time{}, false // what fails now fails because we stop
	}
	c.collect(now, true)
	for len(c.timers) > 0 && !c.timers[0].wake.After(now) {
		c.handleDue(c.timers[0], now)
	}
	c.launch(now)
	if len(c.timers) > 0 {
		next, ok = c.timers[0].wake, true
	}
	if !c.dirty && len(c.settled) == 0 {
		return next, ok
	}
	if at := c.published.Add(c.gather()); at.After(now) {
		if !ok || at.Before(next) {
			next = at
		}
		return next, true
	}
	c.publish(now)
	return next, ok
}

// gather is the least time between two publications.
func (c *Checker) gather() time.Duration {
	if len(c.results) <= smallFleet {
		return 0
	}
	return time.Duration(len(c.results)) * gatherPerCheck
}

// publish makes results the newest edition and tells those who wait for a run.
func (c *Checker) publish(now time.Time) {
	c.revision++
	c.snapshots.Store(&Snapshot{Revision: c.revision, Results: append([]*Result(nil), c.results...)})
	c.dirty, c.published = false, now
	for _, done := range c.settled {
		close(done)
	}
	clear(c.settled)
	c.settled = c.settled[:0]
}

// deliver gives a run that has ended to the scheduler. It is called by the run's goroutine.
func (c *Checker) deliver(r returned) {
	c.mu.Lock()
	c.finished = append(c.finished, r)
	c.mu.Unlock()
	c.wake()
}

// collect judges the runs that have ended, or only frees their places if judge is false.
func (c *Checker) collect(now time.Time, evaluate bool) {
	for _, f := range c.finished {
		e, r, o := f.run.entry, f.run, f.outcome
		e.run = nil
		if r.leaving {
			c.leaving--
			continue
		}
		abandoned := r.abandoned
		if !abandoned {
			c.free++
			c.discount(e, r, o, now)
		}
		c.unwatch(r)
		switch {
		case !evaluate:
		case abandoned:
			c.reschedule(e)
		default:
			c.evaluate(e, o, now)
			c.plan(e, r.started, now)
		}
	}
	clear(c.finished)
	c.finished = c.finished[:0]
}

// discount makes an outcome that says more about this process than about the check a sign of starvation. That is a timeout
// while the process starved; and a success so late that the run would have been given up, had not the whole process
// stood still meanwhile: it is no recovery in time. What was healthy loses nothing by it.
func (c *Checker) discount(e *entry, r *run, o *outcome, now time.Time) {
	starves := c.starves(r, now, o.duration)
	outOfTime := o.event == timedOut || o.event == failed && o.late
	tooLate := o.event == passed && o.duration > e.check.Timeout+returnGrace && e.result.Status != Healthy
	if starves && outOfTime || tooLate {
		o.event = starved
	}
}

// starves reports whether the process starved for the last length of r's time.
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
		c.free++
	}
	c.unwatch(r)
}

// abandon releases the run of a removed check.
func (c *Checker) abandon(r *run) {
	c.release(r)
	r.leaving = true
	c.leaving++
}

// handleDue decides about e, whose wake time has come.
func (c *Checker) handleDue(e *entry, now time.Time) {
	late := now.Sub(e.wake)
	expires, ok := e.expiry()
	expired := ok && !expires.After(now)
	stoodStill := late >= max(e.check.Interval, hiccup)
	switch {
	case e.run != nil && !e.run.abandoned && now.Sub(e.run.deadline) >= returnGrace:
		c.abandonDue(e, now, late)
	case e.stuck() && !e.due.After(now):
		c.tick(e, now)
	case expired && !stoodStill:
		c.evaluate(e, &outcome{event: inconclusive, err: e.result.Err, expired: true}, now)
	default:
		if ok && stoodStill {
			// The scheduler itself slept through a whole interval.
			c.evaluate(e, &outcome{event: starved, err: e.result.Err}, now)
		}
		if e.run == nil && !e.queued {
			e.queued = true
			c.queue = append(c.queue, e)
		}
	}
	c.reschedule(e)
}

// abandonDue stops waiting for e's run, which has ignored its deadline.
func (c *Checker) abandonDue(e *entry, now time.Time, late time.Duration) {
	r := e.run
	c.free++
	r.abandoned = true
	o := &outcome{
		event: timedOut, ran: true, abandoned: true, duration: now.Sub(r.started),
		err: fmt.Errorf("no answer within %v: %w", e.check.Timeout, context.DeadlineExceeded),
	}
	c.recordMissed(e, o, now, late)
}

// tick counts the due time at which e's abandoned run is still in flight.
func (c *Checker) tick(e *entry, now time.Time) {
	c.recordMissed(e, &outcome{event: timedOut, err: errUnending, duration: e.retryInterval()}, now, 0)
}

// recordMissed judges that e's run has not answered. As long as the process starves that is nobody's fault, and the watch
// goes on; after that it is the check that ignores its context.
func (c *Checker) recordMissed(e *entry, o *outcome, now time.Time, late time.Duration) {
	if c.starves(e.run, now, o.duration) || starving(late, o.duration) {
		o.event = starved
	} else {
		c.unwatch(e.run)
	}
	c.evaluate(e, o, now)
	e.due = now.Add(e.retryInterval())
}

// retryInterval is the time from one timeout of an abandoned run to the next: what a run started in its place would take.
func (e *entry) retryInterval() time.Duration { return max(e.check.FailingInterval, e.check.Timeout) }

// launch starts runs while there is room.
func (c *Checker) launch(now time.Time) {
	for c.free > 0 && len(c.queue) > 0 {
		e := c.queue[0]
		c.queue[0], c.queue = nil, c.queue[1:]
		e.queued = false
		c.free--
		r := &run{
			entry: e, started: now, deadline: now.Add(e.check.Timeout), watched: true, lost: c.watchdog.begin(now),
		}
		var ctx context.Context
		ctx, r.cancel = context.WithDeadline(c.session.ctx, r.deadline)
		e.run = r
		// A bare go statement: nobody can wait for a run that may never end.
		go c.execute(ctx, r)
		c.reschedule(e)
	}
}

// evaluate lets o decide about e and tells the log.
func (c *Checker) evaluate(e *entry, o *outcome, now time.Time) {
	before := e.evaluate(o, now)
	c.results[e.pos] = e.result
	c.dirty = true
	if o.ran {
		c.notify(e)
	}
	changed := isNews(before, e.result)
	reminder := !changed && e.result.Status != Healthy && now.Sub(e.logged) >= reminderInterval
	if changed || reminder {
		e.logged = now
		l := &line{before: before, after: e.result, reminder: reminder, abandoned: o.abandoned}
		if changed {
			l.stack = o.stack
		}
		c.log.LogFunc(l.record)
	}
}

// isNews reports whether the log should hear of after. The probes of an open breaker fail now and then between runs
// that it turns away: one trouble, not a transition each time.
func isNews(before, after *Result) bool {
	switch {
	case before.Status != after.Status:
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

// notify tells those who wait for e, with the next publication, that its run is over.
func (c *Checker) notify(e *entry) {
	if e.done != nil {
		c.settled = append(c.settled, e.done)
		e.done = nil
	}
}

// plan sets when e runs next, after a run that began at started.
func (c *Checker) plan(e *entry, started, now time.Time) {
	interval := e.check.interval(e.result.Status)
	e.due = nextStart(started, now, interval, e.check.Jitter, rand.Float64())
	c.reschedule(e)
}

// reschedule files e under its next wake time.
func (c *Checker) reschedule(e *entry) {
	if wake, ok := e.nextWake(); ok {
		c.timers.set(e, wake)
	} else {
		c.timers.drop(e)
	}
}
