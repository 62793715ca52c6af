package checker_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// TestOptionalCheckWithoutEvidenceWarns covers each way in which a check has no evidence; a required check is unknown then.
func TestOptionalCheckWithoutEvidenceWarns(t *testing.T) {
	inconclusive := func(context.Context) error { return fmt.Errorf("hanging mount: %w", checker.ErrInconclusive) }
	for name, test := range map[string]struct {
		run    func(context.Context) error
		pause  time.Duration // before Run ends
		after  time.Duration // after Run has ended
		reason checker.Reason
	}{
		"not run yet":           {func(context.Context) error { return nil }, 0, 0, checker.ReasonNotRunYet},
		"inconclusive":          {inconclusive, 2 * time.Minute, 0, checker.ReasonStale},
		"inconclusive at first": {inconclusive, time.Second, 0, checker.ReasonStale},
		"success expired":       {func(context.Context) error { return nil }, 2 * time.Minute, time.Hour, checker.ReasonStale},
		"failure expired":       {func(context.Context) error { return errors.New("down") }, 2 * time.Minute, time.Hour, checker.ReasonStale},
		"timeout expired":       {func(context.Context) error { time.Sleep(3 * time.Minute); return nil }, 2 * time.Minute, time.Hour, checker.ReasonStale},
	} {
		for optional, want := range map[bool]checker.Status{false: checker.Unknown, true: checker.Warning} {
			t.Run(fmt.Sprintf("%s, optional %v", name, optional), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, err := checker.New(checker.Config{Checks: []checker.Check{{Name: "cache", Optional: optional, Jitter: -1, Run: test.run}}})
					if err != nil {
						t.Fatal(err)
					}
					if test.pause > 0 {
						ctx, cancel := context.WithTimeout(t.Context(), test.pause)
						defer cancel()
						if err := c.Run(ctx); err != nil {
							t.Fatal(err)
						}
						time.Sleep(test.after)
						synctest.Wait()
					}
					if r := c.Snapshot().Results[0]; r.Status != want || r.Reason != test.reason {
						t.Errorf("got %v (%v), want %v (%v)", r.Status, r.Reason, want, test.reason)
					}
				})
			})
		}
	}
}
