package checker

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestStarving(t *testing.T) {
	tests := []struct {
		name         string
		lost, length time.Duration
		want         bool
	}{
		{"nothing lost", 0, 5 * time.Second, false},
		{"less than half", 2400 * time.Millisecond, 5 * time.Second, false},
		{"half", 2500 * time.Millisecond, 5 * time.Second, true},
		{"short runs forgive what is usual", 40 * time.Millisecond, 10 * time.Millisecond, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := starving(test.lost, test.length); got != test.want {
				t.Fatalf("got %v, want %v", got, test.want)
			}
		})
	}
}

// lose makes the watchdog believe that the process waited for a CPU.
func (w *watchdog) lose(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost += d
}

func TestTimeoutsOfStarvingProcessAreNoFailures(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			runs := 0
			c, err := New(Config{Checks: []Check{{Name: "db", Jitter: -1, Interval: 30 * time.Second, Run: func(ctx context.Context) error {
				if runs++; runs == 1 {
					return nil
				}
				if deaf {
					<-release
				}
				<-ctx.Done()
				return ctx.Err()
			}}}})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error)
			go func() { ended <- c.Run(ctx) }()
			time.Sleep(31 * time.Second)
			c.watchdog.lose(3 * time.Second)
			time.Sleep(4*time.Second + 2*returnGrace)
			synctest.Wait()
			r := c.Snapshot().Results[0]
			if r.Status != Warning || r.Reason != ReasonStarved || r.Value != valueAvailable || r.Failures != 0 {
				t.Errorf("deaf %v: %v, %v, %q, %d failures", deaf, r.Status, r.Reason, r.Value, r.Failures)
			}
			// As long as the starvation lasts nothing counts.
			c.watchdog.lose(5 * time.Second)
			time.Sleep(5 * time.Second)
			synctest.Wait()
			if r := c.Snapshot().Results[0]; r.Reason != ReasonStarved {
				t.Errorf("deaf %v: then %v", deaf, r.Reason)
			}
			// Without starvation the next timeout counts.
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if r := c.Snapshot().Results[0]; r.Reason != ReasonTimeout {
				t.Errorf("deaf %v: then %v", deaf, r.Reason)
			}
			close(release)
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestWatchdogCountsOvershoot steps the clock by hand: in a bubble nothing is ever late.
func TestWatchdogCountsOvershoot(t *testing.T) {
	var w watchdog
	w.timer = time.AfterFunc(time.Hour, func() {}) // the test fires by hand
	at := func(ms int64) time.Time { return time.UnixMilli(1_000_000 + ms) }
	expect := func(when string, lost, want time.Duration) {
		t.Helper()
		if lost != want {
			t.Fatalf("%s: lost %v, want %v", when, lost, want)
		}
	}
	expect("before anything", w.begin(at(0)), 0)
	w.fire(at(2_100))
	expect("between ticks", w.total(at(2_150)), 2*time.Second)
	expect("with a tick that is overdue", w.begin(at(7_200)), 7*time.Second)
	w.fire(at(8_200))
	expect("after it", w.total(at(8_200)), 8*time.Second)
	w.end()
	expect("with one run left", w.total(at(9_300)), 9*time.Second)
	w.end()
	expect("with none", w.total(at(20_000)), 8*time.Second)
	w.fire(at(30_000)) // the timer had gone off when the last run ended
	expect("still with none", w.total(at(40_000)), 8*time.Second)
	expect("with another one", w.begin(at(50_000)), 8*time.Second)
	expect("in its first tick", w.total(at(50_100)), 8*time.Second)
}

// TestSuspendedProcessIsStarvedNotStale wakes the scheduler long after it wanted to.
func TestSuspendedProcessIsStarvedNotStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan error, 9)
		c, err := New(Config{Checks: []Check{{Name: "db", Jitter: -1, Run: func(context.Context) error { return <-answer }}}})
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		s := &session{ctx: t.Context(), done: make(chan struct{})}
		c.startSession(s, now)
		step := func(d time.Duration) *Result {
			now = now.Add(d)
			c.step(now)
			synctest.Wait()
			return c.Snapshot().Results[0]
		}
		answer <- nil
		step(0)
		if r := step(0); r.Status != Healthy {
			t.Fatalf("at first %v", r.Status)
		}
		r := step(10 * time.Minute)
		if r.Status != Warning || r.Reason != ReasonStarved || r.Value != valueAvailable {
			t.Errorf("after standing still: %v, %v, %q", r.Status, r.Reason, r.Value)
		}
		answer <- nil
		synctest.Wait()
		if r := step(0); r.Status != Healthy {
			t.Errorf("after the next run: %v, %v", r.Status, r.Reason)
		}
	})
}

// A check that waits for its turn while the process stands still expires no more than one that is idle.
func TestQueuedCheckOfSuspendedProcessIsStarvedNotStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan error)
		run := func(context.Context) error { return <-answer }
		c, err := New(Config{MaxConcurrent: 1, Checks: []Check{
			{Name: "hog", Jitter: -1, InitialDelay: time.Second, Run: run},
			{Name: "victim", Jitter: -1, InitialDelay: time.Second, Run: run},
		}})
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		c.startSession(&session{ctx: t.Context(), done: make(chan struct{})}, now)
		for _, e := range c.entries {
			c.evaluate(e, &outcome{event: passed, ran: true}, now)
		}
		step := func(d time.Duration) {
			now = now.Add(d)
			c.step(now)
			synctest.Wait()
		}
		step(time.Second)
		waiting := c.entries[1]
		if !waiting.queued {
			waiting = c.entries[0]
		}
		waiting.completed = make(chan struct{})
		done := waiting.completed
		step(10 * time.Minute)
		if r := waiting.result; r.Status != Warning || r.Reason != ReasonStarved || r.Value != valueAvailable {
			t.Errorf("after standing still: %v, %v, %q", r.Status, r.Reason, r.Value)
		}
		select {
		case <-done:
			t.Error("who waits for its run was told that it is over")
		default:
		}
		close(answer)
		synctest.Wait()
		step(0)
		step(0)
		if r := waiting.result; r.Status != Healthy {
			t.Errorf("after the next run: %v, %v", r.Status, r.Reason)
		}
	})
}

// What every busy machine does now and then is no standing still, however short the interval.
func TestShortDelayIsNoStarvation(t *testing.T) {
	for _, tt := range []struct {
		interval, late time.Duration
		want           Reason
	}{
		{5 * time.Millisecond, 49 * time.Millisecond, ReasonOK},
		{5 * time.Millisecond, 50 * time.Millisecond, ReasonStarved},
		{time.Second, 999 * time.Millisecond, ReasonOK},
		{time.Second, time.Second, ReasonStarved},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, err := New(Config{Checks: []Check{{
				Name: "db", Jitter: -1, Interval: tt.interval, InitialDelay: time.Minute, Run: func(context.Context) error { return nil },
			}}})
			if err != nil {
				t.Fatal(err)
			}
			now := time.Now()
			c.startSession(&session{ctx: t.Context(), done: make(chan struct{})}, now)
			c.evaluate(c.entries[0], &outcome{event: passed, ran: true}, now)
			c.entries[0].due = now.Add(tt.interval)
			c.reschedule(c.entries[0])
			c.step(now.Add(tt.interval + tt.late))
			if r := c.entries[0].result; r.Reason != tt.want {
				t.Errorf("every %v, %v late: %v, want %v", tt.interval, tt.late, r.Reason, tt.want)
			}
		})
	}
}

func TestClientTimeoutWhileStarving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Config{Checks: []Check{{Name: "db", Run: func(context.Context) error {
			time.Sleep(time.Second)
			return context.DeadlineExceeded
		}}, {Name: "refused", Run: func(context.Context) error {
			time.Sleep(time.Second)
			return ErrInconclusive
		}}}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		time.Sleep(time.Second / 2)
		c.watchdog.lose(time.Second)
		time.Sleep(time.Second)
		synctest.Wait()
		for i, want := range []Reason{ReasonStarved, ReasonStale} {
			if r := c.Snapshot().Results[i]; r.Reason != want {
				t.Errorf("%s: %v, want %v", r.Name, r.Reason, want)
			}
		}
		cancel()
		<-ended
	})
}

// A frozen process may find, when it goes on, that an answer came meanwhile, long after the check's time.
func TestLateSuccessIsNoRecovery(t *testing.T) {
	const inTime, late = time.Second, 5*time.Second + 2*returnGrace
	for _, tt := range []struct {
		name     string
		first    event
		took     time.Duration
		status   Status
		reason   Reason
		failures int
	}{
		{"healthy, in time", passed, inTime, Healthy, ReasonOK, 0},
		{"healthy, late", passed, late, Healthy, ReasonOK, 0},
		{"warning, in time", timedOut, inTime, Healthy, ReasonOK, 0},
		{"warning, late", timedOut, late, Warning, ReasonStarved, 1},
		{"critical, late", failed, late, Critical, ReasonStarved, 1},
		{"no evidence yet, late", starved, late, Unknown, ReasonStarved, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := New(Config{Checks: []Check{{Name: "db", Run: func(context.Context) error { return nil }}}})
			if err != nil {
				t.Fatal(err)
			}
			now := time.Now()
			e := c.entries[0]
			c.evaluate(e, &outcome{event: tt.first, ran: true}, now)
			e.run = &run{entry: e, started: now.Add(-tt.took), cancel: func() {}}
			e.run.outcome = outcome{event: passed, ran: true, duration: tt.took}
			c.finished = []*run{e.run}
			c.collect(now, true)
			if r := e.result; r.Status != tt.status || r.Reason != tt.reason || r.Failures != tt.failures {
				t.Errorf("got %v, %v, %d failures; want %v, %v, %d", r.Status, r.Reason, r.Failures, tt.status, tt.reason, tt.failures)
			}
		})
	}
}

func TestSlowRunsOfStarvingProcessAreNotDegraded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Config{Checks: []Check{{Name: "db", Jitter: -1, Run: func(context.Context) error {
			time.Sleep(4 * time.Second)
			return nil
		}}}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		time.Sleep(time.Second)
		c.watchdog.lose(3 * time.Second)
		for i, want := range []Reason{ReasonOK, ReasonDegraded} {
			time.Sleep(time.Duration(4+26*i) * time.Second)
			if r := c.Snapshot().Results[0]; r.Reason != want {
				t.Errorf("got %v, %q, want %v", r.Reason, r.Message, want)
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
