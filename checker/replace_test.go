package checker_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
)

func TestReplaceKeepsTheResultUntilTheNewCheckHasRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing := false // read and written while nothing else runs
		old := checker.Check{Name: "database", Interval: time.Hour, Jitter: -1, Run: func(ctx context.Context) error {
			if !failing {
				return nil
			}
			<-ctx.Done()
			time.Sleep(time.Second) // it returns late, after the new one has passed
			return errors.New("the old address")
		}}
		c, stop := start(t, checker.Config{Checks: []checker.Check{old}})
		defer stop()
		synctest.Wait()
		before := result(t, c, "database")
		expect(t, before, checker.Healthy, checker.ReasonOK, "available")
		failing = true
		go func() { _, _ = c.Refresh(t.Context(), "database") }() // the old run is in flight
		time.Sleep(time.Second)
		changed := c.Changed()
		began := time.Now()
		if err := c.Replace(checker.Check{Name: "database", Title: "Orders", Interval: time.Second, Jitter: -1, Run: func(context.Context) error {
			time.Sleep(100 * time.Millisecond)
			return nil
		}}); err != nil {
			t.Fatal(err)
		}
		<-changed
		kept := result(t, c, "database")
		expect(t, kept, checker.Healthy, checker.ReasonOK, "available")
		if kept.Title != "Orders" || kept.Message != "Orders is available" || kept.At != before.At || kept.Expires != before.Expires || kept.Runs != before.Runs {
			t.Errorf("got %+v, want the result of %+v with the new title", kept, before)
		}
		time.Sleep(time.Minute)
		r := result(t, c, "database")
		expect(t, r, checker.Healthy, checker.ReasonOK, "available")
		if r.Since != before.Since || r.Failures != 0 || r.Err != nil || r.Runs.ByStatus(checker.Healthy) < 50 {
			t.Errorf("after %v: %+v; the old run counts, or the new one does not run", time.Since(began), r)
		}
	})
}

func TestReplaceCountsOnAgainstTheNewThresholds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuse := func(context.Context) error { time.Sleep(time.Second); return errors.New("refused") }
		check := checker.Check{Name: "database", Interval: time.Hour, Jitter: -1, FailureThreshold: 3, Run: refuse}
		c, stop := start(t, checker.Config{Checks: []checker.Check{check}})
		defer stop()
		time.Sleep(2 * time.Second)
		for _, want := range []checker.Status{checker.Warning, checker.Critical, checker.Critical} {
			r := result(t, c, "database")
			if want == checker.Warning && r.Failures != 1 {
				t.Errorf("%d failures, want 1", r.Failures)
			}
			check.FailureThreshold = 2
			if err := c.Replace(check); err != nil {
				t.Fatal(err)
			}
			if got := result(t, c, "database").Status; got != r.Status {
				t.Errorf("%v before the first run of the new check, want %v", got, r.Status)
			}
			time.Sleep(2 * time.Second)
			if got := result(t, c, "database"); got.Status != checker.Critical {
				t.Errorf("%v after %d failures", got.Status, got.Failures)
			}
		}
		check.Optional = true
		if err := c.Replace(check); err != nil {
			t.Fatal(err)
		}
		if r := result(t, c, "database"); r.Status != checker.Warning || !r.Optional || len(r.Gates) != 0 {
			t.Errorf("optional at once: got %+v", r)
		}
		check.Run, check.Optional = pass, false
		if err := c.Replace(check); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		expect(t, result(t, c, "database"), checker.Healthy, checker.ReasonOK, "available")
	})
}

func TestReplaceRejectsWhatItCannotReplace(t *testing.T) {
	c, err := checker.New(checker.Config{Checks: []checker.Check{{Name: "database", Run: pass}}})
	if err != nil {
		t.Fatal(err)
	}
	before := c.Snapshot()
	for name, check := range map[string]checker.Check{
		`unknown check "cache"`: {Name: "cache", Run: pass},
		"Run":                   {Name: "database"},
	} {
		if err := c.Replace(check); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want an error about %s", err, name)
		}
	}
	if c.Snapshot() != before {
		t.Error("a rejected check changed the results")
	}
}

// A result must not go stale because the new check has a shorter interval.
func TestReplaceDoesNotShortenTheLifeOfAResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hour := checker.Check{Name: "database", Interval: time.Hour, Run: pass}
		hog := checker.Check{Name: "hog", InitialDelay: 29 * time.Minute, Timeout: 10 * time.Minute, Run: obedient, Gates: []string{checker.None}}
		c, stop := start(t, checker.Config{MaxConcurrent: 1, Checks: []checker.Check{hour, hog}})
		defer stop()
		time.Sleep(30 * time.Minute) // the hog takes the only place
		hour.Interval = time.Second
		if err := c.Replace(hour); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		expect(t, result(t, c, "database"), checker.Healthy, checker.ReasonOK, "available")
	})
}

func TestReplaceBesideRefreshAndRemove(t *testing.T) {
	c, err := checker.New(checker.Config{MaxConcurrent: 2})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running, users sync.WaitGroup
	running.Go(func() { _ = c.Run(ctx) })
	check := checker.Check{Name: "database", Interval: time.Millisecond, Run: pass}
	if err := c.Add(check); err != nil {
		t.Fatal(err)
	}
	for _, use := range []func() error{
		func() error { return c.Replace(check) },
		func() error { return c.Replace(check) },
		func() error { _, err := c.Refresh(ctx, "database"); return err },
	} {
		users.Go(func() {
			for range 300 {
				if err := use(); err != nil {
					t.Error(err)
				}
				if r, found := c.Snapshot().Lookup("database"); !found || r.Status == checker.Critical {
					t.Errorf("got %+v", r)
				}
			}
		})
	}
	users.Wait()
	cancel()
	running.Wait()
}

func TestReplaceRunsTheNewCheckAtOnceForRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		check := checker.Check{Name: "database", InitialDelay: time.Hour, Run: obedient}
		c, stop := start(t, checker.Config{Checks: []checker.Check{check}})
		defer stop()
		refreshed := make(chan error)
		began := time.Now()
		go func() {
			_, err := c.Refresh(t.Context(), "database")
			refreshed <- err
		}()
		time.Sleep(time.Second) // the old run is in flight
		check.Run = pass
		if err := c.Replace(check); err != nil {
			t.Fatal(err)
		}
		if err := <-refreshed; err != nil || time.Since(began) > 2*time.Second {
			t.Errorf("Refresh returned %v after %v, want nil at once: InitialDelay is not for Refresh", err, time.Since(began))
		}
		expect(t, result(t, c, "database"), checker.Healthy, checker.ReasonOK, "available")
	})
}

func TestReplaceRepeatsNoLogRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		refuse := func(context.Context) error { return errors.New("refused") }
		check := checker.Check{Name: "database", Interval: time.Second, FailingInterval: time.Second, Run: refuse}
		c, stop := start(t, checker.Config{Logger: slog.New(slog.NewJSONHandler(&log, nil)), Checks: []checker.Check{check}})
		time.Sleep(time.Minute)
		if err := c.Replace(check); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		stop()
		if all := entries(t, &log); len(all) != 1 {
			t.Errorf("got %d records, want one of the failure and no early reminder: %v", len(all), all)
		}
	})
}
