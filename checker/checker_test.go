package checker_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
)

func TestFirstResultIsPublishedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := checker.New(checker.Config{Checks: []checker.Check{
			{Name: "good", Run: func(context.Context) error { return nil }},
			{Name: "bad", Run: func(context.Context) error { return errors.New("boom") }},
		}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { c.Run(ctx) })
		synctest.Wait()
		for _, r := range c.Edition().Results {
			t.Log(r.Name, r.Status, r.Message)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		for _, r := range c.Edition().Results {
			t.Log(r.Name, r.Status, r.Message, r.Runs.ByStatus)
		}
		cancel()
		wg.Wait()
	})
}
