package servicer_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// sleeper is a source of breakers that keeps the judge waiting, once, as a standstill of the process does.
type sleeper struct {
	*fakeBreaker

	nap time.Duration
}

func (s *sleeper) Snapshots() []breaker.Snapshot {
	time.Sleep(s.nap)
	s.nap = 0
	return s.fakeBreaker.Snapshots()
}

// TestAStandstillMakesNothingStale lets the judge sleep for longer than a result is believed. When it wakes up, the
// checker has not had the time to say that the process stood still: nothing may be called stale at once. A checker that
// says nothing for a second more has ended.
func TestAStandstillMakesNothingStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChecker(t, checker.Check{Name: "database", Run: func(context.Context) error { return nil }, Jitter: -1})
		source := &sleeper{fakeBreaker: newFakeBreaker("database")}
		s := newServer(t, servicer.Config{Checker: c, Breakers: []breaker.SnapshotSource{source}})
		stop := run(t, c.Run)
		defer run(t, s.Run)()
		time.Sleep(time.Second)
		stop() // The checker says nothing any more.
		synctest.Wait()
		source.nap = 5 * time.Minute // A result is believed for 95 s.
		source.set(func(b *breaker.Snapshot) { b.State = breaker.HalfOpen })
		time.Sleep(5*time.Minute + time.Millisecond)
		synctest.Wait()
		if check(t, s, "readiness") != serves || metric(t, s, "dependency_database").Status != checker.Healthy {
			t.Errorf("after a standstill: %+v", metric(t, s, "dependency_database"))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if check(t, s, "readiness") != stoodDown || metric(t, s, "dependency_database").Reason != checker.ReasonStale {
			t.Errorf("a second later: %+v", metric(t, s, "dependency_database"))
		}
	})
}

// dawdler is a source of breakers that keeps the judge waiting each time.
type dawdler struct{ *fakeBreaker }

func (d *dawdler) Snapshots() []breaker.Snapshot {
	time.Sleep(300 * time.Millisecond)
	return d.fakeBreaker.Snapshots()
}

// TestASlowWitnessKeepsNoDeadCheckerAlive has a witness that makes the judge late at every look, beside a checker that has
// ended: one second chance is all that there is for its results.
func TestASlowWitnessKeepsNoDeadCheckerAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChecker(t, checker.Check{Name: "database", Run: func(context.Context) error { return nil }, Jitter: -1})
		s := newServer(t, servicer.Config{Checker: c, Breakers: []breaker.SnapshotSource{&dawdler{newFakeBreaker("database")}}})
		stop := run(t, c.Run)
		defer run(t, s.Run)()
		time.Sleep(time.Second)
		stop()
		time.Sleep(100 * time.Second) // A result is believed for 95 s.
		synctest.Wait()
		if check(t, s, "readiness") != stoodDown || metric(t, s, "dependency_database").Reason != checker.ReasonStale {
			t.Errorf("the result of a dead checker is believed: %+v", metric(t, s, "dependency_database"))
		}
	})
}
