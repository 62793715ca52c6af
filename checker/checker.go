package checker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vitals-go/vitals/internal/asynclog"
	"github.com/vitals-go/vitals/internal/broadcast"
)

// Config configures a Checker. The zero value has no checks.
type Config struct {
	// Checks are the initial checks; Add, Replace and Remove change the set.
	Checks []Check

	// MaxConcurrent bounds the runs in flight, abandoned ones aside. Default 16.
	MaxConcurrent int

	// Logger receives one record per transition and a reminder every 5 minutes while a check fails, with the raw error,
	// in the group vitals, which begins with logger=plugin.health. A slow handler delays no check; records that exceed a
	// queue of 1,024, or make the handler panic, are dropped and counted. Default: discard.
	Logger *slog.Logger

	// Wrap wraps each run, in the run's goroutine and within its Timeout, such as for a span. The returned context is
	// passed to the check. The returned function is called once with the run's error (nil if it passed) when the run has
	// ended, also by panic and long after it was abandoned. Either may be nil. Both do not affect the result.
	Wrap func(ctx context.Context, name string) (context.Context, func(error))
}

const defaultParallel = 16

// Checker runs checks on their schedule and publishes snapshots of their results. Create it with New, then call Run. All
// methods may be called concurrently.
type Checker struct {
	wrap      func(ctx context.Context, name string) (context.Context, func(error))
	log       *asynclog.Logger
	watchdog  watchdog
	snapshots *broadcast.Value[Snapshot]
	wakeup    chan struct{} // wakes the scheduler; holds one token
	began     chan struct{} // closed when Run is first called

	// mu guards all fields below. No user code runs and nothing is logged while it is held.
	mu      sync.Mutex
	byName  map[string]*entry
	entries []*entry // sorted by name

	session  *session    // nil unless Run runs
	expiry   *time.Timer // marks results as stale after Run; nil until it has returned once
	timers   timerHeap
	queue    []*entry // due, waiting for a free run
	parallel int      // how many runs may be in flight
	linked   bool     // a check with DependsOn has had a result
	running  int      // runs in flight, without abandoned ones and those of removed checks
	detached int      // runs in flight of removed checks
	finished []*run   // ended, not collected yet

	revision  uint64
	dirty     bool // something is unpublished
	published time.Time
	completed []chan struct{} // closed by the next publication
}

// New returns a Checker for the checks of cfg. It starts nothing. The error joins all mistakes, each naming the check and
// the field.
func New(cfg Config) (*Checker, error) {
	c := &Checker{
		wrap:      cfg.Wrap,
		log:       asynclog.New(cfg.Logger),
		snapshots: broadcast.New(&Snapshot{}),
		wakeup:    make(chan struct{}, 1),
		began:     make(chan struct{}),
		byName:    make(map[string]*entry, len(cfg.Checks)),
		parallel:  cmp.Or(cfg.MaxConcurrent, defaultParallel),
	}
	c.watchdog.mu = &c.mu
	var errs []error
	if cfg.MaxConcurrent < 0 {
		errs = append(errs, fmt.Errorf("checker: MaxConcurrent: got %d, want 0 or more", cfg.MaxConcurrent))
	}
	for i := range min(len(cfg.Checks), maxChecks+1) {
		check := &cfg.Checks[i]
		errs = append(errs, c.validate(check))
		c.byName[check.Name] = newEntry(check)
	}
	for i := range min(len(cfg.Checks), maxChecks) {
		errs = append(errs, c.validateCauses(&cfg.Checks[i]))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	c.entries = slices.SortedFunc(maps.Values(c.byName), byName)
	c.publish(time.Time{})
	return c, nil
}

func byName(a, b *entry) int { return strings.Compare(a.check.Name, b.check.Name) }

// validate returns all reasons not to add check.
func (c *Checker) validate(check *Check) error {
	errs := []error{check.validate()}
	if c.byName[check.Name] != nil {
		errs = append(errs, fmt.Errorf("checker: check %q: Name is used twice", check.Name))
	}
	if len(c.byName) >= maxChecks {
		errs = append(errs, fmt.Errorf("checker: more than %d checks; remove unused ones, or combine several into one", maxChecks))
	}
	return errors.Join(errs...)
}

// Add adds a check, before or during Run. Its first run starts at once, or after InitialDelay. The error joins all
// mistakes, as that of New does. A Checker holds at most 10,000 checks.
func (c *Checker) Add(check Check) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := errors.Join(c.validate(&check), c.validateCauses(&check)); err != nil {
		return err
	}
	e := newEntry(&check)
	i, _ := slices.BinarySearchFunc(c.entries, e, byName)
	c.byName[check.Name] = e
	c.entries = slices.Insert(c.entries, i, e)
	now := time.Now()
	if c.session != nil {
		e.schedule(now.Add(e.check.InitialDelay))
		c.reschedule(e)
		c.wake()
	}
	c.publish(now)
	return nil
}

// Replace replaces the check that has the name of check, before or during Run. The name, the last result and its counts
// stay until check has run, so that nothing that the check gates stops serving meanwhile; Kind, Title, Gates, limits and
// Optional change at once. A run in flight is treated as by Remove. Failures and successes in a row count on, against the
// new thresholds. The first run of check starts at once; InitialDelay applies if there is no result yet. The error joins
// all mistakes; then, and if there is no such check, nothing changes.
func (c *Checker) Replace(check Check) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.byName[check.Name]
	if err := errors.Join(check.validate(), c.validateCauses(&check)); err != nil {
		return err
	} else if old == nil {
		return unknownCheck(check.Name)
	}
	e, now := newEntry(&check), time.Now()
	e.inherit(old, now)
	c.byName[check.Name] = e
	c.entries[slices.Index(c.entries, old)] = e
	c.detach(old)
	if c.session != nil {
		e.schedule(now)
		if e.result.At.IsZero() {
			e.schedule(now.Add(e.check.InitialDelay))
		}
		if e.completed != nil { // Refresh waits for it
			c.enqueue(e)
		}
		c.reschedule(e)
		c.wake()
	}
	c.publish(now)
	return nil
}

// Remove removes the check called name and reports whether there was one. A run in flight is cancelled, its result is
// dropped, and it no longer counts against Config.MaxConcurrent.
func (c *Checker) Remove(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byName[name]
	if e == nil {
		return false
	}
	delete(c.byName, name)
	c.entries = slices.DeleteFunc(c.entries, func(other *entry) bool { return other == e })
	c.detach(e)
	c.notify(e)
	now := time.Now()
	c.explainOthers(e, now)
	c.wake()
	c.publish(now)
	return true
}

// detach makes e, which is no longer in the set, run no more.
func (c *Checker) detach(e *entry) {
	e.removed = true
	c.queue = slices.DeleteFunc(c.queue, func(other *entry) bool { return other == e })
	c.timers.remove(e)
	if e.run != nil {
		e.run.cancel()
		c.release(e.run)
		c.detached++
		c.wake()
	}
}

// Snapshot returns the newest results. It costs one atomic load and runs nothing.
func (c *Checker) Snapshot() *Snapshot { return c.snapshots.Load() }

// Changes yields the newest snapshot and then each newer one, until ctx is done or the loop ends. A reader slower than
// the checks skips snapshots.
func (c *Checker) Changes(ctx context.Context) iter.Seq[*Snapshot] { return c.snapshots.Changes(ctx) }

// Changed returns a channel that is closed when the next snapshot is published. Fetch it before Snapshot, so that no
// snapshot is missed.
func (c *Checker) Changed() <-chan struct{} { return c.snapshots.Changed() }

// wake makes the scheduler look for work. It never blocks.
func (c *Checker) wake() {
	select {
	case c.wakeup <- struct{}{}:
	default:
	}
}
