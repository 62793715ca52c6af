package checker

import "time"

// markExpired makes expired results stale. mu is held.
func (c *Checker) markExpired(now time.Time) {
	for _, e := range c.entries {
		if expires, ok := e.expiry(); ok && !expires.After(now) {
			c.evaluate(e, &outcome{event: inconclusive, err: e.result.Err, expired: true}, now)
		}
	}
}

// expireLater schedules the next call of expire. During Run the scheduler does the same. mu is held.
func (c *Checker) expireLater(now time.Time) {
	var next time.Time
	for _, e := range c.entries {
		if expires, ok := e.expiry(); ok && (next.IsZero() || expires.Before(next)) {
			next = expires
		}
	}
	switch {
	case next.IsZero():
	case c.expiry == nil:
		c.expiry = time.AfterFunc(next.Sub(now), c.expire)
	default:
		c.expiry.Reset(next.Sub(now))
	}
}

// expire makes results stale after Run has returned.
func (c *Checker) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session != nil {
		return
	}
	now := time.Now()
	c.markExpired(now)
	c.publish(now)
	c.expireLater(now)
}
