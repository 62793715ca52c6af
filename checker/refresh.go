package checker

import (
	"context"
	"errors"
	"fmt"
)

var errStopped = errors.New("checker: Run has ended")

// Refresh runs the named checks now, or all if no name is given, and returns a snapshot with their results. A run that is
// in flight or due is shared, so concurrent refreshes cause one run. A check with an abandoned run in flight, or
// with a TTL, keeps its result.
//
// Refresh waits for Run to begin. It fails for unknown names, all of which it lists, when ctx is done, and when Run has
// ended. The runs do not depend on ctx.
func (c *Checker) Refresh(ctx context.Context, names ...string) (*Snapshot, error) {
	entries, err := c.find(names)
	if err != nil {
		return nil, err
	}
	select {
	case <-c.began:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s, pending, err := c.refresh(entries)
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

func unknownCheck(name string) error { return fmt.Errorf("checker: unknown check %q", name) }

func (c *Checker) find(names []string) (entries []*entry, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		if e := c.byName[name]; e != nil {
			entries = append(entries, e)
		} else {
			err = errors.Join(err, unknownCheck(name))
		}
	}
	return entries, err
}

// refresh makes entries due, or all without any, and returns what to wait for.
func (c *Checker) refresh(entries []*entry) (*session, []<-chan struct{}, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == nil {
		return nil, nil, errStopped
	}
	if len(entries) == 0 {
		entries = c.entries
	}
	var pending []<-chan struct{}
	for _, e := range entries {
		if e = c.byName[e.check.Name]; e == nil || e.stuck() || e.check.TTL > 0 { // it may have been replaced since find
			continue
		}
		if e.completed == nil {
			e.completed = make(chan struct{})
		}
		pending = append(pending, e.completed)
		c.enqueue(e)
		c.reschedule(e)
	}
	c.wake()
	return c.session, pending, nil
}
