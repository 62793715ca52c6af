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
