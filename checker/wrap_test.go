package checker_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
)

type key struct{}

func TestWrapRunsOncePerRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := errors.New("down")
		var mu sync.Mutex
		ends := map[string][]string{}
		release := make(chan struct{})
		c, _ := start(t, checker.Config{
			Wrap: func(ctx context.Context, name string) (context.Context, func(error)) {
				if name == "unwrapped" {
					return nil, nil
				}
				return context.WithValue(ctx, key{}, name), func(err error) {
					mu.Lock()
					defer mu.Unlock()
					ends[name] = append(ends[name], fmt.Sprint(err))
				}
			},
			Checks: []checker.Check{
				{Name: "good", Run: func(ctx context.Context) error {
					if ctx.Value(key{}) != "good" {
						t.Error("the check did not get the context")
					}
					return nil
				}},
				{Name: "bad", FailingInterval: time.Hour, Interval: time.Hour, Run: func(context.Context) error { return fail }},
				{Name: "panics", FailingInterval: time.Hour, Interval: time.Hour, Run: panics},
				{Name: "stuck", Run: func(context.Context) error { <-release; return nil }},
				{Name: "unwrapped", Run: pass},
			},
		})
		time.Sleep(20 * time.Second)
		expect(t, result(t, c, "unwrapped"), checker.Healthy, checker.ReasonOK, "available")
		close(release)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		for name, want := range map[string]string{
			"good": "[<nil>]", "bad": "[down]", "panics": "[panic: at the disco]", "stuck": "[<nil>]",
		} {
			if got := fmt.Sprint(ends[name]); got != want {
				t.Errorf("%s ended with %s, want %s", name, got, want)
			}
		}
	})
}

func TestPanicInWrapIsAPanicOfTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := start(t, checker.Config{
			Wrap: func(ctx context.Context, name string) (context.Context, func(error)) {
				if name == "early" {
					panic("hook")
				}
				return ctx, func(error) { panic("hook") }
			},
			Checks: []checker.Check{{Name: "early", Run: pass}, {Name: "late", Run: pass}},
		})
		expect(t, result(t, c, "early"), checker.Critical, checker.ReasonPanic, "error")
		expect(t, result(t, c, "late"), checker.Critical, checker.ReasonPanic, "error")
	})
}
