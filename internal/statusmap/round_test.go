package statusmap

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// sit makes a seat whose sitter waits, without a goroutine.
func sit(r *round) *seat {
	s := &seat{}
	r.enter(s)
	s.state.Store(waiting)
	return s
}

func ringing(seats []*seat) (n int) {
	for _, s := range seats {
		n += len(s.bell)
	}
	return n
}

func TestAChangeWakesAFewAndTheyTheOthers(t *testing.T) {
	var r round
	seats := make([]*seat, 10_000)
	for i := range seats {
		seats[i] = sit(&r)
	}
	r.tell()
	first, most := ringing(seats), 2*runtime.GOMAXPROCS(0)*handful
	if first == 0 || first > most {
		t.Fatalf("a change wakes %d at once, want at most %d and at least one", first, most)
	}
	told := 0
	for told < len(seats) {
		before := told
		for _, s := range seats {
			if len(s.bell) == 0 {
				continue
			}
			<-s.bell
			r.pass(s)
			told++
			if now := ringing(seats); now > most {
				t.Fatalf("%d are awake, want at most %d", now, most)
			}
		}
		if told == before {
			t.Fatalf("only %d of %d are told", told, len(seats))
		}
	}
	if r.hands != 0 || ringing(seats) != 0 {
		t.Errorf("after the round %d carry and %d ring", r.hands, ringing(seats))
	}
}

func TestWhoIsBusyHoldsUpNobody(t *testing.T) {
	var r round
	var idle []*seat
	for i := range 1000 {
		s := sit(&r)
		if i%10 != 0 {
			s.state.Store(busy) // with a message that its peer does not take
			continue
		}
		idle = append(idle, s)
	}
	r.tell()
	for range idle {
		for _, s := range idle {
			select {
			case <-s.bell:
				r.pass(s)
			default:
			}
		}
	}
	for i, s := range idle {
		if s.state.Load() != busy {
			t.Errorf("waiter %d is not told", i)
		}
	}
	if r.hands != 0 {
		t.Errorf("%d still carry", r.hands)
	}
}

func TestWhoLeavesInTheMiddleHandsOn(t *testing.T) {
	var r round
	seats := make([]*seat, 5*handful*2*runtime.GOMAXPROCS(0))
	for i := range seats {
		seats[i] = sit(&r)
	}
	r.tell()
	told := 0
	for told < len(seats) {
		before := told
		for _, s := range seats {
			if s.next == nil || len(s.bell) == 0 {
				continue
			}
			r.rise(s) // as when its stream ends at the same moment
			r.leave(s)
			told++
		}
		if told == before {
			t.Fatalf("only %d of %d are told", told, len(seats))
		}
	}
	if r.pending.first() != nil || r.told.first() != nil || r.hands != 0 {
		t.Error("something is left when everybody has gone")
	}
}

// TestNobodyMissesTheLastChange lets sitters come, wait, be busy and go at random while changes follow each other, and asks
// that in the end everybody has seen the last one.
func TestNobodyMissesTheLastChange(t *testing.T) {
	for seed := range uint64(6) {
		synctest.Test(t, func(t *testing.T) { missNothing(t, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func missNothing(t *testing.T, dice *rand.Rand) {
	const changes = 200
	var (
		r       round
		current atomic.Int64
		all     sync.WaitGroup
	)
	stay := func(left chan struct{}) {
		s := &seat{}
		r.enter(s)
		defer r.leave(s)
		for seen := int64(-1); seen < changes; {
			seen = current.Load()
			if seen%3 == 0 {
				runtime.Gosched()
			}
			if seen < changes && !r.wait(s, func() bool { return current.Load() != seen }, left) {
				return
			}
		}
	}
	patience := make(map[int][]chan struct{}) // by the change at which it ends
	for range 300 {
		left, end := make(chan struct{}), dice.IntN(2*changes)
		patience[end] = append(patience[end], left)
		all.Go(func() { stay(left) })
	}
	for n := range changes {
		if dice.IntN(4) == 0 {
			synctest.Wait()
		}
		current.Add(1)
		for _, left := range patience[n] {
			close(left)
		}
		r.tell()
	}
	synctest.Wait()
	all.Wait() // the bubble fails with a deadlock if somebody still waits
	if r.hands != 0 || r.pending.first() != nil || r.told.first() != nil {
		t.Errorf("in the end %d carry, and the lists are not empty", r.hands)
	}
}

func TestSeatsKeepTheirOrder(t *testing.T) {
	var a, b seats
	all := make([]*seat, 6)
	for i := range all {
		all[i] = &seat{}
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
			t.Fatalf("seat %d is not where it should be", want)
		}
		got.unlink()
	}
	if b.first() != nil {
		t.Error("an empty list has a first")
	}
}
