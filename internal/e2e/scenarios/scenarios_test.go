// Package scenarios plays outages against vitals' breaker and its peers, on a virtual clock.
package scenarios

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/sony/gobreaker/v2"

	"github.com/vitals-go/vitals/breaker"
)

// protect calls the function through a breaker, and returns errRejected instead if it is open.
type protect func(ctx context.Context, call func(context.Context) error) error

var (
	errRejected = errors.New("rejected")
	errDown     = errors.New("dependency is down")
)

func ofVitals(cfg breaker.Config) func(*testing.T) protect {
	return func(t *testing.T) protect {
		t.Helper()
		cfg.Name, cfg.Jitter = "dependency", -1
		b, err := breaker.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return func(ctx context.Context, call func(context.Context) error) error {
			_, err := breaker.Do(ctx, b, func(ctx context.Context) (struct{}, error) { return struct{}{}, call(ctx) })
			if breaker.IsRejected(err) {
				return errRejected
			}
			return err
		}
	}
}

// ofGobreaker trips and waits like vitals' defaults. Cancellation is excluded, as its users write.
func ofGobreaker(*testing.T) protect {
	b := gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout: 5 * time.Second, ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= 5 },
		IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
	})
	return func(ctx context.Context, call func(context.Context) error) error {
		_, err := b.Execute(func() (struct{}, error) { return struct{}{}, call(ctx) })
		if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
			return errRejected
		}
		return err
	}
}

func ofFailsafe(*testing.T) protect {
	b := circuitbreaker.NewBuilder[any]().WithFailureThreshold(5).WithDelay(5 * time.Second).
		HandleIf(func(_ any, err error) bool { return err != nil && !errors.Is(err, context.Canceled) }).Build()
	executor := failsafe.With(b)
	return func(ctx context.Context, call func(context.Context) error) error {
		err := executor.Run(func() error { return call(ctx) })
		if errors.Is(err, circuitbreaker.ErrOpen) {
			return errRejected
		}
		return err
	}
}

// ofResilience4j follows the documented defaults of resilience4j: it opens when half of the last 100 calls failed, waits for a
// minute, and judges ten calls while half-open. Cancellation is ignored.
func ofResilience4j(*testing.T) protect {
	const size, probes = 100, 10
	var (
		mu       sync.Mutex
		open     bool
		halfOpen bool
		until    time.Time
		failed   []bool
		allowed  int
	)
	record := func(failure bool) {
		mu.Lock()
		defer mu.Unlock()
		limit := size
		if halfOpen {
			limit = probes
		}
		failed = append(failed, failure)
		failed = failed[max(0, len(failed)-limit):]
		failures := 0
		for _, f := range failed {
			if f {
				failures++
			}
		}
		if len(failed) < limit {
			return
		}
		if bad := 2*failures >= limit; bad {
			open, halfOpen, until, failed = true, false, time.Now().Add(time.Minute), nil
		} else if halfOpen {
			halfOpen, failed = false, nil
		}
	}
	return func(ctx context.Context, call func(context.Context) error) error {
		mu.Lock()
		if open && !time.Now().Before(until) {
			open, halfOpen, allowed = false, true, probes
		}
		rejected := open || halfOpen && allowed == 0
		if halfOpen && !rejected {
			allowed--
		}
		mu.Unlock()
		if rejected {
			return errRejected
		}
		err := call(ctx)
		if !errors.Is(err, context.Canceled) {
			record(err != nil)
		}
		return err
	}
}

// tally counts what callers got, and how often calls began to be rejected.
type tally struct {
	mu                             sync.Mutex
	served, failed, rejected, open int
	rejecting                      bool
	first                          time.Duration // until the first rejection
	began                          time.Time
}

func (c *tally) count(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case errors.Is(err, errRejected):
		c.rejected++
		if !c.rejecting {
			c.open++
			c.rejecting = true
		}
		if c.first == 0 {
			c.first = time.Since(c.began)
		}
		return
	case err != nil:
		c.failed++
	default:
		c.served++
	}
	c.rejecting = false
}

// answers returns a call of a dependency that answers after d.
func answers(d time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// impatient: the dependency answers in 100 ms. Each second five callers give it 20 ms, and one waits.
func impatient(t *testing.T, call protect) *tally {
	t.Helper()
	patient := &tally{began: time.Now()}
	for range 60 {
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			_ = call(ctx, answers(100*time.Millisecond))
			cancel()
		}
		patient.count(call(t.Context(), answers(100*time.Millisecond)))
		time.Sleep(800 * time.Millisecond)
	}
	return patient
}

// hanging: the dependency hangs for two minutes, and its callers, one each 100 ms, cancel after 10 s.
func hanging(t *testing.T, call protect) *tally {
	t.Helper()
	all := &tally{began: time.Now()}
	var callers sync.WaitGroup
	for range 1200 {
		callers.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			stop := time.AfterFunc(10*time.Second, cancel)
			defer stop.Stop()
			defer cancel()
			all.count(call(ctx, answers(time.Hour)))
		})
		time.Sleep(100 * time.Millisecond)
	}
	callers.Wait()
	return all
}

// unlucky: two of three calls fail for ten minutes, ten calls a second.
func unlucky(t *testing.T, call protect) *tally {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	all := &tally{began: time.Now()}
	for range 6000 {
		bad := random.IntN(3) > 0
		all.count(call(t.Context(), func(context.Context) error {
			if bad {
				return errDown
			}
			return nil
		}))
		time.Sleep(100 * time.Millisecond)
	}
	return all
}

// TestBreakersInOutages prints what the breakers of vitals and its peers do in three outages:
//
//	go test -v -run TestBreakersInOutages ./internal/e2e/scenarios
func TestBreakersInOutages(t *testing.T) {
	const once = "vitals without MinDeadline and MaxCallTime"
	subjects := []struct {
		name string
		make func(*testing.T) protect
	}{
		{"vitals", ofVitals(breaker.Config{})},
		{"vitals, SuccessThreshold 3", ofVitals(breaker.Config{SuccessThreshold: 3})},
		{once, ofVitals(breaker.Config{MinDeadline: -1, MaxCallTime: 24 * time.Hour})},
		{"gobreaker", ofGobreaker},
		{"failsafe-go", ofFailsafe},
		{"resilience4j's rules", ofResilience4j},
	}
	var table strings.Builder
	fmt.Fprintln(&table, "| | patient callers rejected, of 60 | calls that hung, of 1,200 | rejected after | opened in 10 min | failed calls let through |\n|---|---|---|---|---|---|")
	for _, s := range subjects {
		var results [3]*tally
		for i, scenario := range []func(*testing.T, protect) *tally{impatient, hanging, unlucky} {
			synctest.Test(t, func(t *testing.T) { results[i] = scenario(t, s.make(t)) })
		}
		one, two, three := results[0], results[1], results[2]
		after := "never"
		if two.first > 0 {
			after = two.first.Round(100 * time.Millisecond).String()
		}
		fmt.Fprintf(&table, "| %s | %d | %d | %s | %d | %d |\n", s.name, one.rejected, two.failed, after, three.open, three.failed)
		if !strings.HasPrefix(s.name, "vitals") || s.name == once {
			continue
		}
		if one.rejected != 0 {
			t.Errorf("%s: callers with 20 ms opened the breaker", s.name)
		}
		if two.first == 0 || two.first > 11*time.Second {
			t.Errorf("%s: calls that hang were rejected after %v", s.name, after)
		}
		if three.open > 20 || three.failed > 200 {
			t.Errorf("%s: two of three calls fail: opened %d times, %d failed calls", s.name, three.open, three.failed)
		}
	}
	t.Log("\n" + table.String())
}
