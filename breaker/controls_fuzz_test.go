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

// simulation is a breaker under random calls and controls, with the expected counts.
type simulation struct {
	*breaker.Breaker
	cfg        breaker.Config
	check      func(context.Context) error
	down       bool
	open       []*breaker.Permit
	recorded   uint64 // results
	rejections uint64 // rejections that were returned
}

// FuzzControls runs calls, checks, trips, manual control and time in any order, and checks invariants that the model does
// not cover: one probe at a time, each result counted once, no rejection without a plausible RetryAt.
func FuzzControls(f *testing.F) {
	f.Add(uint16(0), []byte("\x01\x01\x01\x01\x01\x09\x09\x09\x09\x09\x00\x00\x01\x01\x02\x03"))
	f.Add(uint16(0xffff), []byte("calls come, the dependency goes, an operator looks, time passes; and again"))
	f.Add(uint16(0x1234), []byte{7, 0xff, 0, 1, 9, 6, 14, 5, 13, 0xf8, 4, 3, 2, 1, 0, 0xf0, 1, 2, 3, 10, 18, 26})
	f.Fuzz(func(t *testing.T, config uint16, script []byte) {
		synctest.Test(t, func(t *testing.T) {
			s := newSimulation(t, config)
			for _, op := range script[:min(len(script), 1000)] {
				s.act(t, op)
				s.mustHold(t)
			}
			for _, permit := range s.open {
				permit.Done(nil)
				s.recorded++
			}
			s.open = nil
			s.mustHold(t)
			s.Reset()
			s.mustHold(t)
		})
	})
}

func newSimulation(t *testing.T, config uint16) *simulation {
	s := &simulation{cfg: breaker.Config{
		Name: "simulation", OpenTime: time.Second << (config & 3), MaxOpenTime: time.Minute, MaxCallTime: 3 * time.Second,
		Jitter: float64(config>>2&3)/3 - 0.1, ConsecutiveFailures: int(config>>4&7) + 1, ProbeOnly: config>>7&1 == 1,
		ObserveOnly: config>>8&3 == 3, SlowCall: time.Duration(config>>10&1) * 2 * time.Second, MinCalls: 5,
		PassiveWindow: time.Duration(config>>11&1) * 10 * time.Second,
	}}
	s.Breaker = newBreaker(t, s.cfg)
	s.check = s.Check(func(context.Context) error {
		s.recorded++
		if s.down {
			return errDown
		}
		return nil
	})
	return s
}

func (s *simulation) act(t *testing.T, op byte) {
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
		s.recorded++
	case 5:
		s.runCheck(t, argument&1 == 1)
	case 6:
		s.trip(t, argument)
	case 7:
		[...]func(){
			s.Reset, func() { s.ForceOpen("out") }, func() { s.ForceClosed("in") },
			func() { s.Observe(nil); s.recorded++ }, func() { s.Observe(errDown); s.recorded++ },
		}[argument%5]()
	}
}

// runCheck runs the check, which may pass passively.
func (s *simulation) runCheck(t *testing.T, down bool) {
	s.down = down
	before := s.recorded
	err := s.check(t.Context())
	switch {
	case breaker.IsRejected(err):
		s.rejected(t, err)
	case s.recorded == before && (err != nil || s.State() != breaker.Closed || s.cfg.PassiveWindow == 0):
		t.Fatalf("the check says %v without asking, while the breaker is %v", err, s.State())
	}
}

// trip calls TripFor with plausible, negative and huge times.
func (s *simulation) trip(t *testing.T, argument int) {
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

func (s *simulation) rejected(t *testing.T, err error) {
	s.rejections++
	state := s.Snapshot()
	rejection, ok := errors.AsType[*breaker.OpenError](err)
	switch {
	case !ok || !errors.Is(err, breaker.ErrOpen) || rejection.Name != s.cfg.Name:
		t.Fatalf("a call is rejected with %v", err)
	case s.cfg.ObserveOnly && !state.Forced:
		t.Fatal("ObserveOnly rejects a call")
	case state.State == breaker.Closed:
		t.Fatal("a closed breaker rejects a call")
	case rejection.RetryAfter() < 0 || rejection.RetryAfter() > s.cfg.MaxOpenTime:
		t.Fatalf("RetryAfter is %v", rejection.RetryAfter())
	case state.State == breaker.Open && !state.Forced && rejection.RetryAfter() == 0:
		t.Fatal("RetryAfter is 0")
	}
}

func (s *simulation) mustHold(t *testing.T) {
	t.Helper()
	now := s.Snapshot()
	if wait := time.Until(now.RetryAt); !now.RetryAt.IsZero() && (wait < 0 || wait > s.cfg.MaxOpenTime) || now.RetryAt.IsZero() != (now.State != breaker.Open || now.Forced) {
		t.Fatalf("%v, next try %v, which is in %v", now.State, now.RetryAt, wait)
	}
	if sum := now.Calls.Successes + now.Calls.Failures + now.Calls.Neutral; sum != s.recorded || now.Calls.Rejected != s.rejections {
		t.Fatalf("%d results and %d rejections are counted, want %d and %d", sum, now.Calls.Rejected, s.recorded, s.rejections)
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
