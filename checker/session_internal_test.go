package checker

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestManyChecksShareSnapshots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks := make([]Check, 1000)
		for i := range checks {
			checks[i] = Check{
				Name: string(rune('a'+i/100)) + string(rune('a'+i/10%10)) + string(rune('a'+i%10)),
				Run:  func(context.Context) error { return nil },
			}
		}
		c, err := New(Config{Checks: checks})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		time.Sleep(time.Second)
		synctest.Wait()
		for _, r := range c.Snapshot().Results {
			if r.Status != Healthy {
				t.Fatalf("%s is %v", r.Name, r.Status)
			}
		}
		if seq := c.Snapshot().Revision; seq > 10 {
			t.Errorf("%d editions for results that came together", seq)
		}
		cancel()
		<-ended
	})
}

// TestWatchdogStopsWithoutRuns looks whether the watchdog sleeps while only abandoned runs are left, and after Run.
func TestWatchdogStopsWithoutRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c, err := New(Config{Checks: []Check{
			{Name: "stuck", Run: func(context.Context) error { <-release; return nil }},
			{Name: "stuck2", InitialDelay: 15 * time.Second, Run: func(context.Context) error { <-release; return nil }},
		}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		watched := func(want int) {
			t.Helper()
			synctest.Wait()
			c.watchdog.mu.Lock()
			defer c.watchdog.mu.Unlock()
			if c.watchdog.inFlight != want {
				t.Errorf("%d runs are watched, want %d", c.watchdog.inFlight, want)
			}
		}
		time.Sleep(time.Second)
		watched(1)
		time.Sleep(10 * time.Second)
		watched(0)
		time.Sleep(5*time.Second + watchInterval/2)
		watched(1)
		cancel()
		<-ended
		watched(0)
		time.Sleep(time.Hour)
		if lost := c.watchdog.total(time.Now()); lost != 0 {
			t.Errorf("%v lost while nothing ran", lost)
		}
		close(release)
	})
}

// TestEndOfRunIsNoResult lets the scheduler look once more after its context has ended.
func TestEndOfRunIsNoResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Config{Checks: []Check{{Name: "db", Run: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s := &session{ctx: ctx, done: make(chan struct{})}
		c.startSession(s, time.Now())
		c.step(time.Now())
		time.Sleep(time.Second)
		synctest.Wait()
		c.step(time.Now())
		if r := c.Snapshot().Results[0]; r.Reason != ReasonNotRunYet || !r.At.IsZero() {
			t.Errorf("%v at %v", r.Reason, r.At)
		}
	})
}

func TestIdleCheckerHasOneGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Config{Logger: slog.New(slog.DiscardHandler), Checks: []Check{
			{Name: "db", Run: func(context.Context) error { return nil }},
		}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		before := bubbleGoroutines()
		go func() { ended <- c.Run(ctx) }()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := bubbleGoroutines() - before; n != 1 {
			t.Errorf("got %d goroutines, want that of Run", n)
		}
		cancel()
		<-ended
	})
}

// bubbleGoroutines counts the goroutines of the caller's bubble: those of other tests come and go.
func bubbleGoroutines() int {
	stacks := make([]byte, 1<<20)
	text := string(stacks[:runtime.Stack(stacks, true)])
	_, bubble, _ := strings.Cut(text, "synctest bubble ") // the first stack is the caller's
	bubble, _, _ = strings.Cut(bubble, "]")
	return strings.Count(text, "synctest bubble "+bubble+"]")
}
