package checker

import (
	"context"
	"errors"
	"fmt"
)

// errStopped is what Refresh says when Run has ended.
var errStopped = errors.New("checker: Run has ended")

// Refresh runs the named checks now, all if none is named, and returns an edition that holds their results. A check
// whose run is in flight or due already is not run again: concurrent refreshes share one run, and join a scheduled
// one. A check whose abandoned run is still in flight keeps its result.
//
// Before Run begins Refresh waits for it. It fails for unknown names, all of which it names, when ctx ends, and when
// Run has ended; the runs go on regardless of ctx.
func (c *Checker) Refresh(ctx context.Context, names ...string) (*Snapshot, error) {
	if err := c.known(names); err != nil {
		return nil, err
	}
	select {
	case <-c.began:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s, pending, err := c.demand(names)
	if err != nil {
		return nil, err
	}
	for _, done := range pending {
		select {
		case <-done:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.done:
			return nil, errStopped
		}
	}
	return c.Snapshot(), nil
}

func (c *Checker) known(names []string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, name := range names {
		if c.byName[name] == nil {
			errs = append(errs, fmt.Errorf("checker: no check is called %q", name))
		}
	}
	return errors.Join(errs...)
}

// demand makes the named checks due and returns what to wait for.
func (c *Checker) demand(names []string) (*session, []<-chan struct{}, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == nil {
		return nil, nil, errStopped
	}
	entries := c.entries
	if len(names) > 0 {
		entries = nil
		for _, name := range names {
			if e := c.byName[name]; e != nil { // it may have been removed meanwhile
				entries = append(entries, e)
			}
		}
	}
	var pending []<-chan struct{}
	for _, e := range entries {
		if e.stuck() {
			continue
		}
		if e.done == nil {
			e.done = make(chan struct{})
		}
		pending = append(pending, e.done)
		if e.run == nil && !e.queued {
			e.queued = true
			c.queue = append(c.queue, e)
			c.reschedule(e)
		}
	}
	c.wake()
	return c.session, pending, nil
}
