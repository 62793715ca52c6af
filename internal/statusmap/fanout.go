package statusmap

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// fanout notifies all its waiters of a change, a batch at a time: the change wakes a few of them, and the last waiter of
// each batch wakes the next batch before it returns. Waking 50,000 watches at once instead keeps every other goroutine of
// the process waiting for most of a second (BenchmarkLatency).
//
// A waiter that is busy, for instance blocked in Send, is skipped: it reads the change when it returns to wait. A woken
// waiter is never busy, so it relays at once.
type fanout struct {
	mu       sync.Mutex
	pending  waiterList // not yet notified of the newest change
	notified waiterList // notified, or busy and about to read the status themselves
	relays   int        // woken waiters that will wake the next batch
}

// batchSize is how many waiters are woken together.
const batchSize = 8

// waiter is one place in a fanout.
type waiter struct {
	state atomic.Uint32 // changed by waiter and fanout; whoever changes it from waiting sends to wake
	wake  chan struct{} // holds a token from the change to woken until the waiter has taken it

	// relay makes the waiter wake the next batch. It is written by the fanout before it sends to wake, by the waiter after.
	relay bool

	prev, next *waiter // in one of the fanout's lists, guarded by its mutex
}

// States of a waiter.
const (
	busy uint32 = iota
	waiting
	woken
)

// add adds a waiter that has not read the status yet.
func (f *fanout) add(w *waiter) {
	w.wake = make(chan struct{}, 1)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notified.push(w)
}

// remove removes a waiter that is not in wait.
func (f *fanout) remove(w *waiter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.unlink()
}

// notify wakes all waiters, now or soon. The change must have been stored before. A nil fanout has no waiters.
func (f *fanout) notify() {
	if f == nil {
		return
	}
	limit := 2 * runtime.GOMAXPROCS(0)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pending.take(&f.notified)
	for f.relays < limit && f.pending.first() != nil {
		f.relays++
		f.wakeBatch()
	}
}

// wakeBatch wakes the next waiters, the last of which relays. The caller holds mu and is counted in relays; afterwards it
// is not.
func (f *fanout) wakeBatch() {
	var last *waiter
	for n := 0; n < batchSize && f.pending.first() != nil; {
		w := f.pending.first()
		w.unlink()
		f.notified.push(w)
		if w.state.CompareAndSwap(waiting, woken) {
			if last != nil {
				last.wake <- struct{}{}
			}
			last = w
			n++
		}
	}
	if last == nil {
		f.relays--
		return
	}
	last.relay = true
	last.wake <- struct{}{}
}

// wait returns true when changed does or when w is woken, and false when done is closed first.
//
// The waiter sets its state to waiting before it reads the status, and a change is stored before waiters are notified,
// so no change is missed.
func (f *fanout) wait(w *waiter, changed func() bool, done <-chan struct{}) bool {
	for {
		w.state.Store(waiting)
		if changed() {
			f.stopWaiting(w)
			return true
		}
		select {
		case <-w.wake:
			f.takeWake(w)
			if changed() {
				return true
			}
		case <-done:
			f.stopWaiting(w)
			return false
		}
	}
}

// stopWaiting ends a wait that was not woken, and takes the token if it was woken meanwhile.
func (f *fanout) stopWaiting(w *waiter) {
	if !w.state.CompareAndSwap(waiting, busy) {
		<-w.wake
		f.takeWake(w)
	}
}

// takeWake is called after the token of wake was taken; it wakes the next batch if w relays.
func (f *fanout) takeWake(w *waiter) {
	w.state.Store(busy)
	if !w.relay {
		return
	}
	w.relay = false
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wakeBatch()
}

// waiterList is a doubly linked ring around a root. The zero value is empty.
type waiterList struct{ root waiter }

// first returns the oldest waiter, nil if there is none.
func (l *waiterList) first() *waiter {
	if l.root.next == nil || l.root.next == &l.root {
		return nil
	}
	return l.root.next
}

func (l *waiterList) push(w *waiter) {
	l.init()
	w.prev, w.next = l.root.prev, &l.root
	w.prev.next, w.next.prev = w, w
}

// take moves all waiters of other behind those of l in constant time.
func (l *waiterList) take(other *waiterList) {
	first := other.first()
	if first == nil {
		return
	}
	l.init()
	last := other.root.prev
	first.prev, last.next = l.root.prev, &l.root
	first.prev.next, l.root.prev = first, last
	other.root = waiter{}
}

func (l *waiterList) init() {
	if l.root.next == nil {
		l.root.prev, l.root.next = &l.root, &l.root
	}
}

// unlink removes the waiter from the list that holds it.
func (w *waiter) unlink() {
	w.prev.next, w.next.prev = w.next, w.prev
	w.prev, w.next = nil, nil
}
