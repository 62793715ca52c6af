package checker

import (
	"context"
	"errors"
	"fmt"
)

var errStopped = errors.New("checker: Run has ended")

// Refresh runs the named checks now, or all if no name is given, and returns a snapshot with their results. A run that is
// in flight or due is shared, so concurrent refreshes cause one run. A check with an abandoned run in flight keeps its
// result.
//
// Refresh waits for Run to begin. It fails for unknown names, all of which it lists, when ctx is done, and when Run has
// ended. The runs do not depend on ctx.
func (c *Checker) Refresh(ctx context.Context, names ...string) (*Snapshot, error) {
	if err := c.checkNames(names); err != nil {
		return nil, err
	}
	select {
	case <-c.began:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s, pending, err := c.enqueue(names)
	if err != nil {
		return nil, err
	}
	for _, completed := range pending {
		select {
		case <-completed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.done:
			return nil, errStopped
		}
	}
	return c.Snapshot(), nil
}

func (c *Checker) checkNames(names []string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, name := range names {
		if c.byName[name] == nil {
			errs = append(errs, fmt.Errorf("checker: unknown check %q", name))
		}
	}
	return errors.Join(errs...)
}

// enqueue makes the named checks due and returns what to wait for.
func (c *Checker) enqueue(names []string) (*session, []<-chan struct{}, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == nil {
		return nil, nil, errStopped
	}
	entries := c.entries
	if len(names) > 0 {
		entries = nil
		for _, name := range names {
			if e := c.byName[name]; e != nil { // not removed meanwhile
				entries = append(entries, e)
			}
		}
	}
	var pending []<-chan struct{}
	for _, e := range entries {
		if e.stuck() {
			continue
		}
		if e.completed == nil {
			e.completed = make(chan struct{})
		}
		pending = append(pending, e.completed)
		if e.run == nil && !e.queued {
			e.queued = true
			c.queue = append(c.queue, e)
			c.reschedule(e)
		}
	}
	c.wake()
	return c.session, pending, nil
}
