package checker

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vitals-go/vitals/internal/asynclog"
	"github.com/vitals-go/vitals/internal/broadcast"
)

// Checker runs checks on their schedule and publishes snapshots of their results. Create it with New, then call Run. All
// methods may be called concurrently.
type Checker struct {
	wrap      wrapFunc
	log       *asynclog.Logger
	watchdog  watchdog
	snapshots *broadcast.Value[Snapshot]
	wakeup    chan struct{} // wakes the scheduler; holds one token
	began     chan struct{} // closed when Run is first called

	// mu guards all fields below. No user code runs and nothing is logged while it is held.
	mu      sync.Mutex
	byName  map[string]*entry
	entries []*entry  // sorted by name
	results []*Result // of entries, in the same order

	session  *session    // nil unless Run runs
	expiry   *time.Timer // marks results as stale after Run; nil until it has returned once
	timers   timerHeap
	queue    []*entry // due, waiting for a free run
	free     int      // how many more runs may be in flight
	detached int      // runs in flight of removed checks
	finished []returned

	revision  uint64
	dirty     bool // results holds something unpublished
	published time.Time
	completed []chan struct{} // closed by the next publication
}

// New returns a Checker for the checks of cfg. It starts nothing. The error joins all mistakes, each naming the check and
// the field.
func New(cfg Config) (*Checker, error) {
	c := &Checker{
		wrap:      cfg.Wrap,
		log:       newLog(cfg.Logger),
		snapshots: broadcast.New(&Snapshot{}),
		wakeup:    make(chan struct{}, 1),
		began:     make(chan struct{}),
		byName:    make(map[string]*entry, len(cfg.Checks)),
		free:      cfg.Parallel,
	}
	var errs []error
	if cfg.Parallel < 0 {
		errs = append(errs, fmt.Errorf("checker: Parallel is negative: %d", cfg.Parallel))
	}
	if cfg.Parallel == 0 {
		c.free = defaultParallel
	}
	if len(cfg.Checks) > maxChecks {
		errs = append(errs, errTooMany)
	}
	for i := range cfg.Checks {
		check := &cfg.Checks[i]
		errs = append(errs, check.validate(), c.unused(check.Name))
		c.byName[check.Name] = newEntry(check)
		c.entries = append(c.entries, c.byName[check.Name])
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	slices.SortFunc(c.entries, byName)
	c.results = make([]*Result, len(c.entries))
	c.reindex(0)
	c.publish(time.Time{})
	return c, nil
}

func byName(a, b *entry) int { return strings.Compare(a.check.Name, b.check.Name) }

// unused returns an error if there is a check called name.
func (c *Checker) unused(name string) error {
	if c.byName[name] == nil {
		return nil
	}
	return fmt.Errorf("checker: check %q: Name is used twice", name)
}

// reindex repairs what depends on the order of entries, from index first on.
func (c *Checker) reindex(first int) {
	for i := first; i < len(c.entries); i++ {
		c.entries[i].pos = i
		c.results[i] = c.entries[i].result
	}
}

// Add adds a check, before or during Run. Its first run starts at once, or after InitialDelay. The error joins all
// mistakes, as that of New does. A Checker holds at most 10,000 checks.
func (c *Checker) Add(check Check) error {
	err := check.validate()
	c.mu.Lock()
	defer c.mu.Unlock()
	err = errors.Join(err, c.unused(check.Name))
	if len(c.entries) >= maxChecks {
		err = errors.Join(err, errTooMany)
	}
	if err != nil {
		return err
	}
	e := newEntry(&check)
	i, _ := slices.BinarySearchFunc(c.entries, e, byName)
	c.byName[check.Name] = e
	c.entries = slices.Insert(c.entries, i, e)
	c.results = slices.Insert(c.results, i, e.result)
	c.reindex(i)
	now := time.Now()
	if c.session != nil {
		e.due = now.Add(e.check.InitialDelay)
		c.reschedule(e)
		c.wake()
	}
	c.publish(now)
	return nil
}

// Remove removes the check called name and reports whether there was one. A run in flight is cancelled, its result is
// dropped, and it no longer counts against Config.Parallel.
func (c *Checker) Remove(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byName[name]
	if e == nil {
		return false
	}
	delete(c.byName, name)
	c.entries = slices.Delete(c.entries, e.pos, e.pos+1)
	c.results = slices.Delete(c.results, e.pos, e.pos+1)
	c.reindex(e.pos)
	e.pos = -1
	c.timers.remove(e)
	c.queue = slices.DeleteFunc(c.queue, func(q *entry) bool { return q == e })
	e.queued = false
	if e.run != nil {
		e.run.cancel()
		c.detach(e.run)
		c.wake()
	}
	c.notify(e)
	c.publish(time.Now())
	return true
}

// Snapshot returns the newest results. It costs one atomic load and runs nothing.
func (c *Checker) Snapshot() *Snapshot { return c.snapshots.Load() }

// Changes yields the newest snapshot and then each newer one, until ctx is done or the loop ends. A reader slower than
// the checks skips snapshots.
func (c *Checker) Changes(ctx context.Context) iter.Seq[*Snapshot] { return c.snapshots.Changes(ctx) }

// Changed returns a channel that is closed when the next snapshot is published. Fetch it before Snapshot, so that no
// snapshot is missed.
func (c *Checker) Changed() <-chan struct{} {
	_, changed := c.snapshots.Next()
	return changed
}

// wake makes the scheduler look for work. It never blocks.
func (c *Checker) wake() {
	select {
	case c.wakeup <- struct{}{}:
	default:
	}
}
