package checker

import (
	"context"
	"errors"
	"sync"
	"time"
)

// stopGrace is how long Run waits, after its context has ended, for checks that ignore theirs.
const stopGrace = time.Second

// errRunning is what a second Run says.
var errRunning = errors.New("checker: Run is already running")

// Run runs the checks until ctx ends and returns nil once all its goroutines are gone, but for at most one per check
// that ignores its context and one for a log handler that blocks: it waits for each of the two for one second. A second Run at the same time is an error;
// another one later is not: it goes on from what is known.
func (c *Checker) Run(ctx context.Context) error {
	runs, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &session{ctx: runs, done: make(chan struct{})}
	if !c.begin(s, time.Now()) {
		return errRunning
	}
	// The helpers outlive ctx, so that the last results are still watched.
	helpers, stop := context.WithCancel(context.WithoutCancel(ctx))
	var group sync.WaitGroup
	group.Go(func() { c.watchdog.run(helpers) })
	c.schedule(ctx)
	cancel()
	c.finish(s)
	stop()
	group.Wait()
	c.log.Flush(logGrace)
	return nil
}

// begin makes s the session, unless there is one, and plans the first run of every check.
func (c *Checker) begin(s *session, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session != nil {
		return false
	}
	select {
	case <-c.began:
	default:
		close(c.began)
	}
	c.session = s
	c.watchdog.start()
	for _, e := range c.entries {
		if expires, ok := e.expiry(); ok && !expires.After(now) {
			c.evaluate(e, &outcome{event: inconclusive, err: e.result.Err, expired: true}, now)
		}
		switch {
		case e.stuck():
			e.due = now.Add(e.retryInterval())
		case e.result.At.IsZero():
			e.due = now.Add(e.check.InitialDelay)
		default:
			e.due = now
		}
		c.reschedule(e)
	}
	return true
}

// schedule is the scheduler's loop.
func (c *Checker) schedule(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-c.wakeup:
		}
		next, ok := c.step(time.Now())
		if ok {
			timer.Reset(time.Until(next))
		} else {
			timer.Stop()
		}
	}
}

// finish waits for the cancelled runs, abandons those that ignore it, and ends the session.
func (c *Checker) finish(s *session) {
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	for waiting := true; waiting && c.countAbandoned() > 0; {
		select {
		case <-c.wakeup:
		case <-grace.C:
			waiting = false
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for _, e := range c.entries {
		c.timers.drop(e)
		e.queued = false
		if e.run != nil {
			c.release(e.run)
		}
	}
	clear(c.queue)
	c.queue = nil
	c.session = nil
	c.publish(now)
	close(s.done)
}

// countAbandoned takes in what has returned without judging it and returns how many runs are in flight.
func (c *Checker) countAbandoned() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.collect(time.Now(), false)
	running := c.leaving
	for _, e := range c.entries {
		if e.run != nil && !e.run.abandoned {
			running++
		}
	}
	return running
}
