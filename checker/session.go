package checker

import (
	"context"
	"errors"
	"time"

	"github.com/vitals-go/vitals/internal/asynclog"
)

// stopGrace is how long Run waits, after its context is done, for checks that ignore theirs.
const stopGrace = time.Second

var errRunning = errors.New("checker: Run is already running")

// session is one call of Run.
type session struct {
	ctx  context.Context // of all runs
	done chan struct{}   // closed when Run no longer evaluates
}

// Run runs the checks until ctx is done and returns nil. It waits up to one second for checks that ignore their context,
// and up to one second for a log handler that blocks; each leaves one goroutine behind. A second Run at the same time is
// an error; a later one continues from the last results.
func (c *Checker) Run(ctx context.Context) error {
	runs, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &session{ctx: runs, done: make(chan struct{})}
	if !c.startSession(s, time.Now()) {
		return errRunning
	}
	c.schedule(ctx)
	cancel()
	c.finish(s)
	c.log.Flush(asynclog.Grace)
	return nil
}

// startSession makes s the session, unless there is one, and schedules the first run of every check.
func (c *Checker) startSession(s *session, now time.Time) bool {
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
	c.markExpired(now)
	c.session = s
	for _, e := range c.entries {
		switch {
		case e.stuck():
			e.schedule(now.Add(e.retryInterval()))
		case e.result.At.IsZero():
			e.schedule(now.Add(e.check.InitialDelay))
		default:
			e.schedule(now)
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
		if next := c.step(time.Now()); next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(next))
		}
	}
}

// finish waits for the cancelled runs, abandons those that ignore it, and ends the session.
func (c *Checker) finish(s *session) {
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	for waiting := true; waiting && c.drain() > 0; {
		select {
		case <-c.wakeup:
		case <-grace.C:
			waiting = false
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.entries {
		c.timers.remove(e)
		e.queued = false
		if e.run != nil {
			c.release(e.run)
		}
	}
	clear(c.queue)
	c.queue = nil
	c.session = nil
	now := time.Now()
	c.markExpired(now)
	c.publish(now)
	close(s.done)
}

// drain collects the runs that have returned, without their outcomes, and returns how many are in flight.
func (c *Checker) drain() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.collect(time.Now(), false)
	return c.running + c.detached
}

// markExpired makes expired results stale and schedules the next call by expire. It requires mu.
func (c *Checker) markExpired(now time.Time) {
	var next time.Time
	for _, e := range c.entries {
		if e.expired(now) {
			c.evaluate(e, &outcome{event: inconclusive, err: e.result.Err}, now)
		}
		next = earlier(next, e.expiry())
	}
	switch {
	case next.IsZero():
	case c.expiry == nil:
		c.expiry = time.AfterFunc(next.Sub(now), c.expire)
	default:
		c.expiry.Reset(next.Sub(now))
	}
}

// expire makes results stale after Run has returned. During Run the scheduler does.
func (c *Checker) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); c.session == nil {
		c.markExpired(now)
		c.publish(now)
	}
}
