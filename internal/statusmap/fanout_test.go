package statusmap

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// addWaiting adds a waiter that waits, without a goroutine.
func addWaiting(f *fanout) *waiter {
	s := &waiter{}
	f.add(s)
	s.state.Store(waiting)
	return s
}

func countWoken(waiters []*waiter) (n int) {
	for _, s := range waiters {
		n += len(s.wake)
	}
	return n
}

func TestNotifyWakesInBatches(t *testing.T) {
	var f fanout
	waiters := make([]*waiter, 1000) // each of which counts all
	for i := range waiters {
		waiters[i] = addWaiting(&f)
	}
	f.notify()
	first, most := countWoken(waiters), 2*runtime.GOMAXPROCS(0)*batchSize
	if first == 0 || first > most {
		t.Fatalf("a change wakes %d at once, want at most %d and at least one", first, most)
	}
	done := 0
	for done < len(waiters) {
		before := done
		for _, s := range waiters {
			if len(s.wake) == 0 {
				continue
			}
			<-s.wake
			f.takeWake(s)
			done++
			if now := countWoken(waiters); now > most {
				t.Fatalf("%d are awake, want at most %d", now, most)
			}
		}
		if done == before {
			t.Fatalf("only %d of %d are woken", done, len(waiters))
		}
	}
	if f.relays != 0 || countWoken(waiters) != 0 {
		t.Errorf("after the notification %d relay and %d are woken", f.relays, countWoken(waiters))
	}
}

func TestBusyWaiterDelaysNoOther(t *testing.T) {
	var f fanout
	var idle []*waiter
	for i := range 1000 {
		s := addWaiting(&f)
		if i%10 != 0 {
			s.state.Store(busy) // blocked in Send
			continue
		}
		idle = append(idle, s)
	}
	f.notify()
	for range idle {
		for _, s := range idle {
			select {
			case <-s.wake:
				f.takeWake(s)
			default:
			}
		}
	}
	for i, s := range idle {
		if s.state.Load() != busy {
			t.Errorf("waiter %d is not woken", i)
		}
	}
	if f.relays != 0 {
		t.Errorf("%d still relay", f.relays)
	}
}

func TestRemovedWaiterRelays(t *testing.T) {
	var f fanout
	waiters := make([]*waiter, 5*batchSize*2*runtime.GOMAXPROCS(0))
	for i := range waiters {
		waiters[i] = addWaiting(&f)
	}
	f.notify()
	done := 0
	for done < len(waiters) {
		before := done
		for _, s := range waiters {
			if s.next == nil || len(s.wake) == 0 {
				continue
			}
			f.stopWaiting(s) // as when its stream ends at the same moment
			f.remove(s)
			done++
		}
		if done == before {
			t.Fatalf("only %d of %d are woken", done, len(waiters))
		}
	}
	if f.pending.first() != nil || f.notified.first() != nil || f.relays != 0 {
		t.Error("lists are not empty after the last waiter was removed")
	}
}

// TestEveryWaiterSeesTheLastChange lets waiters come, wait, be busy and go at random while changes follow each other, and asks
// that in the end everybody has seen the last one.
func TestEveryWaiterSeesTheLastChange(t *testing.T) {
	for seed := range uint64(6) {
		synctest.Test(t, func(t *testing.T) { missNothing(t, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func missNothing(t *testing.T, dice *rand.Rand) {
	const changes = 200
	var (
		f       fanout
		current atomic.Int64
		all     sync.WaitGroup
	)
	stay := func(left chan struct{}) {
		s := &waiter{}
		f.add(s)
		defer f.remove(s)
		for seen := int64(-1); seen < changes; {
			seen = current.Load()
			if seen%3 == 0 {
				runtime.Gosched()
			}
			if seen < changes && !f.wait(s, func() bool { return current.Load() != seen }, left) {
				return
			}
		}
	}
	leaves := make(map[int][]chan struct{}) // by the change at which it ends
	for range 300 {
		left, end := make(chan struct{}), dice.IntN(2*changes)
		leaves[end] = append(leaves[end], left)
		all.Go(func() { stay(left) })
	}
	for n := range changes {
		if dice.IntN(4) == 0 {
			synctest.Wait()
		}
		current.Add(1)
		for _, left := range leaves[n] {
			close(left)
		}
		f.notify()
	}
	synctest.Wait()
	all.Wait() // the bubble reports a deadlock if one still waits
	if f.relays != 0 || f.pending.first() != nil || f.notified.first() != nil {
		t.Errorf("in the end %d relay, or the lists are not empty", f.relays)
	}
}

func TestWaiterListKeepsOrder(t *testing.T) {
	var a, b waiterList
	all := make([]*waiter, 6)
	for i := range all {
		all[i] = &waiter{}
		if i < 3 {
			a.push(all[i])
		} else {
			b.push(all[i])
		}
	}
	all[4].unlink()
	a.take(&b)
	a.take(&b) // of nothing
	b.push(all[4])
	b.take(&a)
	if a.first() != nil {
		t.Error("what was taken is still there")
	}
	for _, want := range []int{4, 0, 1, 2, 3, 5} {
		got := b.first()
		if got != all[want] {
			t.Fatalf("waiter %d is not where it should be", want)
		}
		got.unlink()
	}
	if b.first() != nil {
		t.Error("an empty list has a first")
	}
}
