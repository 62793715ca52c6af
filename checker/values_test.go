package checker_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
)

func TestValuesOfARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		step := 0
		var late context.Context
		c, _ := start(t, checker.Config{Checks: []checker.Check{{
			Name: "db", Interval: time.Second, FailingInterval: time.Second, Jitter: -1,
			Run: func(ctx context.Context) error {
				step++
				switch step {
				case 1:
					checker.SetValue(ctx, "lag", 1, "s")
					checker.SetValue(ctx, "lag", 2.5, "s")
					checker.SetValue(ctx, "connections", 0, "")
					checker.SetValue(ctx, "", 1, "")
					checker.SetValue(ctx, "nan", math.NaN(), "")
					late = ctx
				case 2:
					checker.SetValue(ctx, "lag", 90, "s")
					return errDown
				case 4:
					for i := range 20 {
						checker.SetValue(ctx, fmt.Sprintf("v%02d", i), float64(i), "\xff")
					}
				}
				return nil
			},
			Timeout: 500 * time.Millisecond,
		}}})
		values := func(want ...checker.Value) {
			t.Helper()
			if r := result(t, c, "db"); !slices.Equal(r.Values, want) {
				t.Errorf("values %v, want %v", r.Values, want)
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
		synctest.Wait()
		checker.SetValue(late, "lag", 7, "s")
		values(checker.Value{"connections", 0, "1"}, checker.Value{"lag", 2.5, "s"})
		expect(t, result(t, c, "db"), checker.Critical, checker.ReasonError, "unavailable")
		values(checker.Value{"lag", 90, "s"})
		values(checker.Value{"lag", 90, "s"}) // a run that sets none
		if r := result(t, c, "db"); len(r.Values) != 16 || r.Values[15] != (checker.Value{"v15", 15, "\uFFFD"}) {
			t.Errorf("got %v, want the first 16 values", r.Values)
		}
	})
	checker.SetValue(t.Context(), "outside of a run", 1, "")
}
