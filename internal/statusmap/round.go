package statusmap

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// round tells all who sit in it of a change, a few at a time. Were all woken at once, whatever else the process has to
// do would queue behind them: with 50,000 watches, each with a message to write, for most of a second. Here the
// change wakes a few, the last of whom wakes the next few before it goes about its own business, and so on: telling
// goes on as fast as the processors allow, and everybody else has a turn in between.
//
// It depends on nobody's business. Who is busy, perhaps for ever with a message that its peer does not take, is passed
// over and finds the change by itself; who is woken has done nothing since but wait, and hands on before it returns.
type round struct {
	mu      sync.Mutex
	pending seats // have not been told of the newest change
	told    seats // have been, or will look by themselves
	hands   int   // seats that carry
}

// handful is how many are woken together, by the one of them who carried.
const handful = 8

// seat is one waiter's place in a round.
type seat struct {
	state atomic.Uint32 // sitter and round change it; whoever moves it away from waiting wakes the sitter
	bell  chan struct{} // holds a token while state is rung and the sitter has not noticed

	// carries says that the sitter must hand on. It is written by the round before it rings and by the sitter after.
	carries bool

	prev, next *seat // in one of the round's lists, which the round's mutex guards
}

// States of a seat.
const (
	busy uint32 = iota
	waiting
	rung
)

// enter adds a seat, whose sitter has yet to look for the first time.
func (r *round) enter(s *seat) {
	s.bell = make(chan struct{}, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told.push(s)
}

// leave removes a seat whose sitter is not in wait.
func (r *round) leave(s *seat) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.unlink()
}

// tell wakes, now or soon, everybody who waits. What they are to see must have been stored before.
func (r *round) tell() {
	most := 2 * runtime.GOMAXPROCS(0)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pending.take(&r.told)
	for r.hands < most && r.pending.first() != nil {
		r.hands++
		r.handOn()
	}
}

// handOn wakes the next handful, the last of whom is to hand on. It is called with the mutex held by someone counted
// in hands, who no longer is afterwards.
func (r *round) handOn() {
	var last *seat
	for woken := 0; woken < handful; {
		s := r.pending.first()
		if s == nil {
			break
		}
		s.unlink()
		r.told.push(s)
		if s.state.CompareAndSwap(waiting, rung) {
			if last != nil {
				last.bell <- struct{}{}
			}
			last = s
			woken++
		}
	}
	if last == nil {
		r.hands--
		return
	}
	last.carries = true
	last.bell <- struct{}{}
}

// wait returns true when there is something to look at: at once if fresh says so, else when the seat is told. It returns
// false when left is closed first.
//
// The order matters: the sitter announces that it waits and then looks; a change is stored and then tells. One of the
// two sees the other.
func (r *round) wait(s *seat, fresh func() bool, left <-chan struct{}) bool {
	s.state.Store(waiting)
	if fresh() {
		r.rise(s)
		return true
	}
	select {
	case <-s.bell:
		r.pass(s)
		return true
	case <-left:
		r.rise(s)
		return false
	}
}

// rise ends a wait that no bell has ended, and answers a bell that came meanwhile.
func (r *round) rise(s *seat) {
	if !s.state.CompareAndSwap(waiting, busy) {
		<-s.bell
		r.pass(s)
	}
}

// pass hands on if it is the sitter's turn to. The bell has been taken.
func (r *round) pass(s *seat) {
	s.state.Store(busy)
	if !s.carries {
		return
	}
	s.carries = false
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handOn()
}
