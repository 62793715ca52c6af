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

// Checker runs checks on their schedule and publishes what is known. Create it with New, then call Run. All methods
// may be called concurrently.
type Checker struct {
	wrap      wrapFunc
	log       *asynclog.Logger
	watchdog  watchdog
	snapshots *broadcast.Value[Snapshot]
	wakeup    chan struct{} // tells the scheduler to look again; holds one token
	began     chan struct{} // closed when Run is first called

	// mu guards all below. It is never held across a check, a log or any other code that is not ours.
	mu      sync.Mutex
	byName  map[string]*entry
	entries []*entry  // sorted by name
	results []*Result // those of entries, in the same order

	session  *session // nil unless Run runs
	timers   timerHeap
	queue    []*entry // due, waiting for their turn
	free     int      // how many more runs may be in flight
	leaving  int      // runs in flight of removed checks
	finished []returned

	revision  uint64
	dirty     bool // results holds something unpublished
	published time.Time
	settled   []chan struct{} // to close with the next publication
}

// session is one call of Run.
type session struct {
	ctx  context.Context // of all runs
	done chan struct{}   // closed when Run no longer judges
}

// New returns a Checker for the checks of cfg. It starts nothing. The error joins all mistakes, each naming the check
// and the field.
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
	errs = append(errs, c.addAll(cfg.Checks)...)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	slices.SortFunc(c.entries, byName)
	c.results = make([]*Result, len(c.entries))
	c.renumber(0)
	c.publish(time.Time{})
	return c, nil
}

// addAll takes the first checks and returns all mistakes.
func (c *Checker) addAll(checks []Check) (errs []error) {
	if len(checks) > maxChecks {
		errs = append(errs, errTooMany())
	}
	for i := range checks {
		check := &checks[i]
		if err := check.validate(); err != nil {
			errs = append(errs, err)
		}
		if c.byName[check.Name] != nil {
			errs = append(errs, duplicate(check.Name))
			continue
		}
		e := newEntry(check)
		c.byName[check.Name] = e
		c.entries = append(c.entries, e)
	}
	return errs
}

func byName(a, b *entry) int { return strings.Compare(a.check.Name, b.check.Name) }

func duplicate(name string) error { return fmt.Errorf("checker: check %q: Name is used twice", name) }

// renumber repairs what depends on the order of entries, from index first on.
func (c *Checker) renumber(first int) {
	for i := first; i < len(c.entries); i++ {
		c.entries[i].pos = i
		c.results[i] = c.entries[i].result
	}
}

// Add adds a check, before or while Run runs. Its first run starts at once, InitialDelay aside. The error joins all
// mistakes, as New's does. There are at most 10,000 checks.
func (c *Checker) Add(check Check) error {
	err := check.validate()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byName[check.Name] != nil {
		err = errors.Join(err, duplicate(check.Name))
	}
	if len(c.entries) >= maxChecks {
		err = errors.Join(err, errTooMany())
	}
	if err != nil {
		return err
	}
	e := newEntry(&check)
	i, _ := slices.BinarySearchFunc(c.entries, e, byName)
	c.byName[check.Name] = e
	c.entries = slices.Insert(c.entries, i, e)
	c.results = slices.Insert(c.results, i, e.result)
	c.renumber(i)
	now := time.Now()
	if c.session != nil {
		e.due = now.Add(e.check.InitialDelay)
		c.reschedule(e)
		c.wake()
	}
	c.publish(now)
	return nil
}

// Remove removes the check called name and reports whether there was one. A run in flight is cancelled, its result
// ignored, and its place given to others at once; a check added under the same name does not wait for it.
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
	c.renumber(e.pos)
	e.pos = -1
	c.timers.drop(e)
	c.queue = slices.DeleteFunc(c.queue, func(q *entry) bool { return q == e })
	e.queued = false
	if e.run != nil {
		e.run.cancel()
		c.abandon(e.run)
		c.wake()
	}
	c.notify(e)
	c.publish(time.Now())
	return true
}

// Snapshot returns what is known now. It costs one atomic load and runs nothing.
func (c *Checker) Snapshot() *Snapshot { return c.snapshots.Load() }

// Changes yields the newest edition at once and then each newer one, until ctx ends or the loop is left. A reader
// that is slower than the checks skips editions and never goes back.
func (c *Checker) Changes(ctx context.Context) iter.Seq[*Snapshot] { return c.snapshots.Changes(ctx) }

// Changed returns a channel that is closed when the next edition can be read. Fetch it before Snapshot, so that no
// edition is missed.
func (c *Checker) Changed() <-chan struct{} {
	_, changed := c.snapshots.Next()
	return changed
}

// wake makes the scheduler look again. It never blocks.
func (c *Checker) wake() {
	select {
	case c.wakeup <- struct{}{}:
	default:
	}
}
