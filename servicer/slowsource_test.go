package servicer_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// slowSource blocks each time it is read.
type slowSource struct{ *fakeBreaker }

func (d *slowSource) Snapshots() []breaker.Snapshot {
	time.Sleep(300 * time.Millisecond)
	return d.fakeBreaker.Snapshots()
}

// TestSlowSourceDoesNotDelayExpiry reads a source that makes every evaluation late, beside a checker that has stopped.
func TestSlowSourceDoesNotDelayExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChecker(t, checker.Check{Name: "database", Run: func(context.Context) error { return nil }, Jitter: -1})
		s := newServer(t, servicer.Config{Checker: c, Breakers: []breaker.SnapshotSource{&slowSource{newFakeBreaker("database")}}})
		stop := run(t, c.Run)
		defer run(t, s.Run)()
		time.Sleep(time.Second)
		stop()
		time.Sleep(100 * time.Second) // A result expires after 95 s.
		synctest.Wait()
		if check(t, s, "readiness") != stoodDown || metric(t, s, "dependency_database").Reason != checker.ReasonStale {
			t.Errorf("the result of a stopped checker has not expired: %+v", metric(t, s, "dependency_database"))
		}
	})
}

// TestSlowSourceDoesNotDelayChecks wakes Run, as a manual status does, while a read of the sources takes 3 s.
func TestSlowSourceDoesNotDelayChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var database dependency
		c := newChecker(t, checker.Check{Name: "database", Run: database.ping, Interval: 5 * time.Second, Jitter: -1})
		source := newMute()
		s := newServer(t, servicer.Config{Checker: c, Breakers: []breaker.SnapshotSource{source}})
		defer run(t, c.Run)()
		defer run(t, s.Run)()
		time.Sleep(time.Minute)
		<-source.lock
		s.SetServingStatus("shop.v1.Orders", serving)
		time.Sleep(3 * time.Second)
		source.lock <- struct{}{}
		synctest.Wait()
		s.SetServingStatus("shop.v1.Orders", notServing)
		synctest.Wait()
		database.fail(errors.New("down"))
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if check(t, s, "readiness") != stoodDown {
			t.Error("a check that fails is not published at once, because a read of the sources was slow before")
		}
	})
}
