package checker_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
)

type openCircuit struct{}

func (openCircuit) Error() string     { return "open" }
func (openCircuit) CircuitOpen() bool { return true }

type touchy struct{ error }

func (touchy) Is(error) bool { panic("do not compare me") }

func TestReasonFor(t *testing.T) {
	runs := map[string]struct {
		run  func(context.Context) error
		want checker.Reason
	}{
		"ok":       {pass, checker.ReasonOK},
		"degraded": {func(context.Context) error { return checker.Degraded("slow", nil) }, checker.ReasonDegraded},
		"error":    {func(context.Context) error { return errors.New("down") }, checker.ReasonError},
		"touchy":   {func(context.Context) error { return touchy{errors.New("down")} }, checker.ReasonError},
		"panic":    {panics, checker.ReasonPanic},
		"goexit":   {func(context.Context) error { runtime.Goexit(); return nil }, checker.ReasonPanic},
		"timeout":  {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, checker.ReasonTimeout},
		"open":     {func(context.Context) error { return fmt.Errorf("db: %w", openCircuit{}) }, checker.ReasonCircuitOpen},
		"unknown":  {func(context.Context) error { return fmt.Errorf("mount: %w", checker.ErrInconclusive) }, checker.ReasonStale},
	}
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		got := map[string]checker.Reason{}
		config := checker.Config{Wrap: func(ctx context.Context, name string) (context.Context, func(error)) {
			return ctx, func(err error) {
				mu.Lock()
				defer mu.Unlock()
				got[name] = checker.ReasonFor(ctx, err)
			}
		}}
		for name, r := range runs {
			config.Checks = append(config.Checks, checker.Check{Name: name, Run: r.run, Interval: time.Hour, FailingInterval: time.Hour})
		}
		start(t, config)
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		for name, r := range runs {
			if got[name] != r.want {
				t.Errorf("%s ended with %v, want %v", name, got[name], r.want)
			}
		}
	})
}

func TestReasonForWithoutDeadline(t *testing.T) {
	if got := checker.ReasonFor(t.Context(), errors.New("down")); got != checker.ReasonError {
		t.Errorf("an error without a deadline is %v", got)
	}
}
