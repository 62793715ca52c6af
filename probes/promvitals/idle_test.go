package promvitals_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer"
)

// However often and in whatever format it is asked, a page runs no check: those that there are ran once, at the start,
// and the one that hangs delays no scrape.
func TestScrapesRunNoCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int64
		count := func(context.Context) error { runs.Add(1); return nil }
		hang := func(ctx context.Context) error { runs.Add(1); <-ctx.Done(); return ctx.Err() }
		checks, err := checker.New(checker.Config{Checks: []checker.Check{
			{Name: "database", Run: count, Interval: time.Hour},
			{Name: "search", Run: count, Interval: time.Hour},
			{Name: "hanging", Run: hang, Interval: 2 * time.Hour, Timeout: time.Hour},
		}})
		if err != nil {
			t.Fatal(err)
		}
		health, err := servicer.New(servicer.Config{Checker: checks})
		if err != nil {
			t.Fatal(err)
		}
		page, err := promvitals.Handler(collector(t, promvitals.Config{Source: health}))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = checks.Run(ctx) })
		running.Go(func() { _ = health.Run(ctx) })
		synctest.Wait()
		began := time.Now()
		var scraping sync.WaitGroup
		for _, accept := range []string{text, openMetrics, protobuf} {
			scraping.Go(func() {
				for range 100 {
					if got := get(t, page, accept).Body.String(); !strings.Contains(got, "hanging") {
						t.Errorf("no check on the page: %s", got)
						return
					}
				}
			})
		}
		scraping.Wait()
		if got := runs.Load(); got != 3 || time.Since(began) != 0 {
			t.Errorf("the checks ran %d times, want 3; the scrapes took %v", got, time.Since(began))
		}
		stop()
		running.Wait()
	})
}
