package checker_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
)

func TestResultsExpireAfterRunHasReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := checker.New(checker.Config{Checks: []checker.Check{
			{Name: "cache", Run: func(context.Context) error { return nil }, Jitter: -1, Interval: time.Minute},
			{Name: "database", Run: func(context.Context) error { return nil }, Jitter: -1},
		}})
		if err != nil {
			t.Fatal(err)
		}
		run := func(d time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			if err := c.Run(ctx); err != nil {
				t.Error(err)
			}
		}
		run(time.Second)
		reason := func(name string) checker.Reason {
			r, _ := c.Snapshot().Lookup(name)
			return r.Reason
		}
		cache, _ := c.Snapshot().Lookup("cache")
		database, _ := c.Snapshot().Lookup("database")
		for _, step := range []struct {
			at              time.Time
			database, cache checker.Reason
		}{
			{database.Expires.Add(-1), checker.ReasonOK, checker.ReasonOK},
			{database.Expires, checker.ReasonStale, checker.ReasonOK},
			{cache.Expires.Add(-1), checker.ReasonStale, checker.ReasonOK},
			{cache.Expires, checker.ReasonStale, checker.ReasonStale},
		} {
			changed := c.Changed()
			time.Sleep(time.Until(step.at))
			synctest.Wait()
			if reason("database") != step.database || reason("cache") != step.cache {
				t.Errorf("at %v: database %v, cache %v; want %v, %v", step.at, reason("database"), reason("cache"), step.database, step.cache)
			}
			select {
			case <-changed:
			default:
				if step.at.Equal(database.Expires) || step.at.Equal(cache.Expires) {
					t.Error("the change is not announced")
				}
			}
		}
		run(time.Second)
		if reason("database") != checker.ReasonOK || reason("cache") != checker.ReasonOK {
			t.Error("results are stale after another Run")
		}
	})
}
