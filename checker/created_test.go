package checker_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// The runs of a check that is added later began to count then, and go on when it is replaced.
func TestRunsCountSinceTheCheckWasAdded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := checker.New(checker.Config{})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		added := time.Now()
		check := checker.Check{Name: "database", Run: func(context.Context) error { return nil }}
		if err := c.Add(check); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		synctest.Wait()
		time.Sleep(time.Hour)
		if err := c.Replace(check); err != nil {
			t.Fatal(err)
		}
		result, found := c.Snapshot().Lookup("database")
		if !found || !result.Runs.Since.Equal(added) || result.Runs.ByStatus(checker.Healthy) < 2 {
			t.Errorf("counts since %v, want %v", result.Runs.Since, added)
		}
		cancel()
		<-done
	})
}
