package breaker_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/breaker"
)

// scenario is a dependency with a check that runs every ten seconds and a PassiveWindow of five.
type scenario struct {
	b    *breaker.Breaker
	run  func(context.Context) error
	runs int
	err  error // what check and calls get
}

func newScenario(t *testing.T, cfg breaker.Config) *scenario {
	t.Helper()
	cfg.Name, cfg.PassiveWindow = "database", 5*time.Second
	b, err := breaker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p := &scenario{b: b}
	p.run = b.Check(func(context.Context) error { p.runs++; return p.err })
	return p
}

// call makes one call per second.
func (p *scenario) call(t *testing.T, seconds int) {
	t.Helper()
	for range seconds {
		time.Sleep(time.Second)
		_, _ = breaker.Do(t.Context(), p.b, func(context.Context) (int, error) { return 0, p.err })
	}
}

// expect runs the check and compares.
func (p *scenario) expect(t *testing.T, when string, runs bool, result error) {
	t.Helper()
	before := p.runs
	if err := p.run(t.Context()); !errors.Is(err, result) {
		t.Errorf("%s: %v, want %v", when, err, result)
	}
	if got := p.runs > before; got != runs {
		t.Errorf("%s: the check ran %v, want %v", when, got, runs)
	}
}

func TestRecentSuccessesSkipTheCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newScenario(t, breaker.Config{})
		p.expect(t, "the first run", true, nil)
		before := p.b.Snapshot().Calls
		for range 100 {
			p.call(t, 10)
			p.expect(t, "busy", false, nil)
		}
		if got := p.b.Snapshot().Calls; got.Successes != before.Successes+1000 {
			t.Errorf("%d successes after 1000 calls, %d before: an answer from memory is no call", got.Successes, before.Successes)
		}
	})
}

func TestCheckRunsWithoutRecentSuccesses(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, tt := range map[string]struct {
		until func(t *testing.T, p *scenario) // after passive runs
		want  error
	}{
		"no calls":             {until: func(*testing.T, *scenario) { time.Sleep(10 * time.Second) }},
		"a call, then silence": {until: func(t *testing.T, p *scenario) { p.call(t, 1); time.Sleep(6 * time.Second) }},
		// A success before the last run does not count.
		"a check that runs again at once": {until: func(*testing.T, *scenario) { time.Sleep(100 * time.Millisecond) }},
		"a call that failed": {until: func(t *testing.T, p *scenario) {
			p.call(t, 8)
			p.b.Observe(broken)
			p.call(t, 1)
		}},
		"calls that hang": {until: func(t *testing.T, p *scenario) {
			for range 10 {
				time.Sleep(time.Second)
				if _, err := p.b.Allow(t.Context()); err != nil {
					t.Error(err)
				}
			}
		}},
		"calls that are slow": {until: func(t *testing.T, p *scenario) {
			for range 3 {
				permit, err := p.b.Allow(t.Context())
				if err != nil {
					t.Error(err)
				}
				time.Sleep(5*time.Second + 1)
				permit.Done(nil)
			}
		}},
		"neutral calls": {until: func(t *testing.T, p *scenario) {
			for range 10 {
				time.Sleep(time.Second)
				permit, err := p.b.Allow(t.Context())
				if err != nil {
					t.Error(err)
				}
				permit.Record(breaker.Neutral, nil)
			}
		}},
		"broken": {until: func(t *testing.T, p *scenario) { p.err = broken; p.call(t, 2) }, want: broken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newScenario(t, breaker.Config{})
				p.expect(t, "the first run", true, nil)
				p.call(t, 10)
				p.expect(t, "busy", false, nil)
				tt.until(t, p)
				p.expect(t, "after it", true, tt.want)
			})
		})
	}
}

func TestCheckRunsAfterTheBreakerWasOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newScenario(t, breaker.Config{Jitter: -1, ProbeOnly: true})
		p.expect(t, "the first run", true, nil)
		p.call(t, 10)
		p.b.TripFor(6 * time.Second)
		if err := p.run(t.Context()); !breaker.IsRejected(err) || p.runs != 1 {
			t.Errorf("open: %v after %d runs", err, p.runs)
		}
		time.Sleep(7 * time.Second)
		p.expect(t, "the probe", true, nil)
		p.expect(t, "closed again, and no call yet", true, nil)
		p.call(t, 2)
		p.expect(t, "closed again", false, nil)
	})
}

// One failure within PassiveWindow makes the check run, however many calls succeed.
func TestRecentFailureMakesTheCheckRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newScenario(t, breaker.Config{})
		p.expect(t, "the first run", true, nil)
		p.b.Observe(errors.New("broken"))
		p.call(t, 5)
		p.expect(t, "in the fifth second", true, nil)
		p.call(t, 1)
		p.expect(t, "in the sixth second", false, nil)
	})
}

func TestWithoutPassiveWindowEveryCheckRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{Name: "database"})
		runs := 0
		check := b.Check(func(context.Context) error { runs++; return nil })
		for n := 1; n <= 5; n++ {
			_, _ = breaker.Do(t.Context(), b, func(context.Context) (int, error) { return 0, nil })
			time.Sleep(time.Second)
			if err := check(t.Context()); err != nil || runs != n {
				t.Errorf("run %d: %v after %d runs", n, err, runs)
			}
		}
	})
}
