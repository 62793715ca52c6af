package breaker_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/breaker"
)

// siege is a breaker with everything that can happen to it, and what was counted beside it.
type siege struct {
	*breaker.Breaker
	cfg    breaker.Config
	check  func(context.Context) error
	down   bool
	open   []*breaker.Permit
	told   uint64 // results that were reported
	turned uint64 // rejections that were returned
}

// FuzzControls plays everything at once: calls, checks, trips, an operator's hand, and time. What the model does not
// know is held by invariants: one probe at a time, each result counted once, no rejection without a sensible time.
func FuzzControls(f *testing.F) {
	f.Add(uint16(0), []byte("\x01\x01\x01\x01\x01\x09\x09\x09\x09\x09\x00\x00\x01\x01\x02\x03"))
	f.Add(uint16(0xffff), []byte("calls come, the dependency goes, an operator looks, time passes; and again"))
	f.Add(uint16(0x1234), []byte{7, 0xff, 0, 1, 9, 6, 14, 5, 13, 0xf8, 4, 3, 2, 1, 0, 0xf0, 1, 2, 3, 10, 18, 26})
	f.Fuzz(func(t *testing.T, config uint16, script []byte) {
		synctest.Test(t, func(t *testing.T) {
			s := besiege(t, config)
			for _, op := range script[:min(len(script), 1000)] {
				s.act(t, op)
				s.mustHold(t)
			}
			for _, permit := range s.open {
				permit.Done(nil)
				s.told++
			}
			s.open = nil
			s.mustHold(t)
			s.Reset()
			s.mustHold(t)
		})
	})
}

func besiege(t *testing.T, config uint16) *siege {
	s := &siege{cfg: breaker.Config{
		Name: "siege", OpenTime: time.Second << (config & 3), MaxOpenTime: time.Minute, ProbeTimeout: 3 * time.Second,
		Jitter: float64(config>>2&3)/3 - 0.1, ConsecutiveFailures: int(config>>4&7) + 1, ProbeOnly: config>>7&1 == 1,
		ObserveOnly: config>>8&3 == 3, SlowCall: time.Duration(config>>10&1) * 2 * time.Second, MinCalls: 5,
		PassiveWindow: time.Duration(config>>11&1) * 10 * time.Second,
	}}
	s.Breaker = newBreaker(t, s.cfg)
	s.check = s.Check(func(context.Context) error {
		s.told++
		if s.down {
			return errDown
		}
		return nil
	})
	return s
}

func (s *siege) act(t *testing.T, op byte) {
	argument := int(op >> 3)
	switch op & 7 {
	case 0:
		time.Sleep(time.Duration(argument*argument) * 100 * time.Millisecond)
		synctest.Wait()
	case 1, 2:
		permit := new(breaker.Permit)
		var err error
		if *permit, err = s.Allow(t.Context()); err == nil {
			s.open = append(s.open, permit)
			return
		}
		s.rejected(t, err)
	case 3, 4:
		if len(s.open) == 0 {
			return
		}
		n := argument % len(s.open)
		permit := s.open[n]
		s.open = append(s.open[:n], s.open[n+1:]...)
		permit.Record(breaker.Outcome(argument%3), errDown)
		permit.Done(nil) // twice is harmless
		s.told++
	case 5:
		s.ask(t, argument&1 == 1)
	case 6:
		s.trip(t, argument)
	case 7:
		[...]func(){
			s.Reset, func() { s.ForceOpen("out") }, func() { s.ForceClosed("in") },
			func() { s.Observe(nil); s.told++ }, func() { s.Observe(errDown); s.told++ },
		}[argument%5]()
	}
}

// ask runs the check, which may know the answer already.
func (s *siege) ask(t *testing.T, down bool) {
	s.down = down
	before := s.told
	err := s.check(t.Context())
	switch {
	case breaker.IsRejected(err):
		s.rejected(t, err)
	case s.told == before && (err != nil || s.State() != breaker.Closed || s.cfg.PassiveWindow == 0):
		t.Fatalf("the check says %v without asking, while the breaker is %v", err, s.State())
	}
}

// trip asks for times that are sensible, negative and absurd.
func (s *siege) trip(t *testing.T, argument int) {
	before := s.Snapshot()
	d := [...]time.Duration{0, -time.Second, time.Millisecond, 10 * time.Second, time.Hour, math.MaxInt64, math.MinInt64}[argument%7]
	s.TripFor(d)
	after := s.Snapshot()
	switch {
	case d <= 0 && (after.State != before.State || !after.RetryAt.Equal(before.RetryAt)):
		t.Fatalf("TripFor(%v) does something", d)
	case d > 0 && !before.Forced && after.State != breaker.Open:
		t.Fatalf("TripFor(%v) leaves the breaker %v", d, after.State)
	case d > 0 && !before.Forced && before.State == breaker.Open && after.RetryAt.Before(before.RetryAt):
		t.Fatalf("TripFor(%v) shortens the time", d)
	}
}

func (s *siege) rejected(t *testing.T, err error) {
	s.turned++
	state := s.Snapshot()
	rejection, ok := errors.AsType[*breaker.OpenError](err)
	switch {
	case !ok || !errors.Is(err, breaker.ErrOpen) || rejection.Name != s.cfg.Name:
		t.Fatalf("a call is turned away with %v", err)
	case s.cfg.ObserveOnly && !state.Forced:
		t.Fatal("a call is turned away by a breaker that only observes")
	case state.State == breaker.Closed:
		t.Fatal("a call is turned away by a closed breaker")
	case rejection.RetryAfter() < 0 || rejection.RetryAfter() > s.cfg.MaxOpenTime:
		t.Fatalf("a call is told to wait for %v", rejection.RetryAfter())
	case state.State == breaker.Open && !state.Forced && rejection.RetryAfter() == 0:
		t.Fatal("a call is turned away for no time")
	}
}

func (s *siege) mustHold(t *testing.T) {
	t.Helper()
	now := s.Snapshot()
	if wait := time.Until(now.RetryAt); !now.RetryAt.IsZero() && (wait < 0 || wait > s.cfg.MaxOpenTime) || now.RetryAt.IsZero() != (now.State != breaker.Open || now.Forced) {
		t.Fatalf("%v, next try %v, which is in %v", now.State, now.RetryAt, wait)
	}
	if sum := now.Calls.Successes + now.Calls.Failures + now.Calls.Neutral; sum != s.told || now.Calls.Rejected != s.turned {
		t.Fatalf("%d results and %d rejections are counted, want %d and %d", sum, now.Calls.Rejected, s.told, s.turned)
	}
	probes := 0
	for _, permit := range s.open {
		if permit.Probe() && now.State == breaker.HalfOpen {
			probes++
		}
	}
	if now.Forced && probes > 0 {
		t.Fatal("a probe is under way in a state that an operator holds")
	}
	if now.Window.Failures > now.Calls.Failures || now.Window.Successes > now.Calls.Successes {
		t.Fatalf("the window holds %+v of %+v", now.Window, now.Calls)
	}
}
