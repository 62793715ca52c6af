package inventory

import (
	"context"
	"log/slog"
	"sort"
	"sync"
	"time"
)

const (
	feedBatch  = 256  // changes that are read, or sent, at once
	feedRecent = 1024 // newest changes that are kept in memory for watchers
	trimEvery  = time.Minute
)

// feed fans the store's history out to any number of watchers: one goroutine reads new changes once, and each watcher
// takes them from memory at its own pace. A watcher that falls behind what memory holds reads from the store.
type feed struct {
	store    Store
	log      *slog.Logger
	timeout  time.Duration
	interval time.Duration
	history  int64
	pokes    chan struct{} // holds at most one token: there may be new changes

	mu sync.Mutex // guards all below; never held while the store or a watcher is busy
	// head is the newest revision known, -1 before the first read of the store.
	head int64
	// recent changes, the last one at head, without gaps. Elements never change; the slice is only ever replaced by
	// an extension or a suffix of itself, so that readers may keep what they got.
	recent []Change
	// epoch grows when the history turns out to be another one: a restored backup, a database made anew.
	epoch int
	moved chan struct{} // closed, and replaced, when any of the above changes
}

func newFeed(store Store, log *slog.Logger, timeout, interval time.Duration, history int64) *feed {
	return &feed{
		store: store, log: log, timeout: timeout, interval: interval, history: history,
		pokes: make(chan struct{}, 1),
		head:  -1,
		moved: make(chan struct{}),
	}
}

// poke wakes the feed, as there may be new changes. It never blocks.
func (f *feed) poke() {
	select {
	case f.pokes <- struct{}{}:
	default:
	}
}

func (f *feed) run(ctx context.Context) {
	tick := time.NewTicker(f.interval)
	defer tick.Stop()
	trim := time.NewTicker(trimEvery)
	defer trim.Stop()
	for {
		if err := f.advance(ctx); err != nil {
			f.log.LogAttrs(ctx, slog.LevelDebug, "cannot follow the history", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-f.pokes:
		case <-tick.C:
		case <-trim.C:
			f.trim(ctx)
		}
	}
}

// advance reads everything that is new. Only run calls it, so head does not move under it.
func (f *feed) advance(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	newest, err := f.store.Head(ctx)
	if err != nil {
		return err
	}
	for at := f.meet(newest); at < newest; {
		changes, err := f.store.Changes(ctx, at, feedBatch)
		if err != nil {
			return err
		}
		if len(changes) == 0 { // Forgotten already, all of them.
			f.move(func() { f.head, f.recent = newest, nil })
			return nil
		}
		at = f.extend(changes)
	}
	return nil
}

// meet compares the store's newest revision with the feed's and returns from where on to read.
func (f *feed) meet(newest int64) int64 {
	switch {
	case f.head < 0:
		f.move(func() { f.head = newest })
	case newest < f.head:
		f.log.LogAttrs(context.Background(), slog.LevelWarn, "the history has been replaced by an older one",
			slog.Int64("from", f.head), slog.Int64("to", newest))
		f.move(func() { f.head, f.recent, f.epoch = newest, nil, f.epoch+1 })
	}
	return f.head
}

func (f *feed) extend(changes []Change) (head int64) {
	f.move(func() {
		if changes[0].Revision() != f.head+1 { // Some were forgotten before they were read.
			f.recent = nil
		}
		f.recent = append(f.recent, changes...)
		f.recent = f.recent[max(0, len(f.recent)-feedRecent):]
		f.head = changes[len(changes)-1].Revision()
		head = f.head
	})
	return head
}

// move changes the feed's state and wakes all watchers.
func (f *feed) move(change func()) {
	f.mu.Lock()
	change()
	moved := f.moved
	f.moved = make(chan struct{})
	f.mu.Unlock()
	close(moved)
}

func (f *feed) trim(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	if upTo := f.head - f.history; upTo > 0 {
		if err := f.store.Forget(ctx, upTo); err != nil {
			f.log.LogAttrs(ctx, slog.LevelDebug, "cannot trim the history", slog.Any("error", err))
		}
	}
}

// cursor is how far one watcher has come.
type cursor struct {
	revision int64
	epoch    int
}

// start returns a cursor at a revision, or at the newest one if there is none.
func (f *feed) start(ctx context.Context, after *int64) (cursor, error) {
	f.mu.Lock()
	epoch := f.epoch
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	newest, err := f.store.Head(ctx)
	switch {
	case err != nil:
		return cursor{}, err
	case after == nil:
		return cursor{newest, epoch}, nil
	case *after > newest:
		return cursor{}, errHistory
	}
	return cursor{*after, epoch}, nil
}

// next waits for changes after c and moves c behind them. It returns errHistory when the history breaks off.
func (f *feed) next(ctx context.Context, c *cursor) ([]Change, error) {
	for {
		changes, behind, moved := f.after(*c)
		var err error
		if behind {
			changes, err = f.fetch(ctx, *c)
		}
		if err != nil {
			return nil, err
		}
		if len(changes) > 0 {
			c.revision = changes[len(changes)-1].Revision()
			return changes, nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// after returns the changes in memory after c. If behind, the caller must read from the store; without changes it waits
// until moved is closed.
func (f *feed) after(c cursor) (changes []Change, behind bool, moved <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case c.epoch != f.epoch:
		return nil, true, f.moved
	case c.revision >= f.head:
		return nil, false, f.moved
	case len(f.recent) == 0 || f.recent[0].Revision() > c.revision+1:
		return nil, true, f.moved
	}
	from := sort.Search(len(f.recent), func(i int) bool { return f.recent[i].Revision() > c.revision })
	return f.recent[from:min(from+feedBatch, len(f.recent))], false, f.moved
}

// fetch reads the next changes for one watcher that memory cannot serve.
func (f *feed) fetch(ctx context.Context, c cursor) ([]Change, error) {
	f.mu.Lock()
	replaced := c.epoch != f.epoch
	f.mu.Unlock()
	if replaced {
		return nil, errHistory
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	changes, err := f.store.Changes(ctx, c.revision, feedBatch)
	if err != nil {
		return nil, err
	}
	if len(changes) == 0 || changes[0].Revision() != c.revision+1 {
		return nil, errHistory
	}
	return changes, nil
}
