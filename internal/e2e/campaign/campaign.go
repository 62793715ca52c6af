package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/vitals-go/vitals/internal/e2e/endpoints"
	"github.com/vitals-go/vitals/internal/e2e/oracle"
)

// campaign is one run: the world, the server in it, those who use and watch the server, and the truth.
type campaign struct {
	settings

	scratch      string
	dependencies map[string]*dependency
	missing      map[string]error // why a dependency, the disk or the clock is left out
	server       *program
	endpoints    *endpoints.Endpoints
	observer     *observer
	disk         *disk  // nil if there is none
	clock        *clock // nil if the server has the machine's
	control      *control
	silent       *endpoints.Silent // nil without silent clients
	started      time.Time         // of the server
	users        *users
	machine      *machine
	truth        truth
	overridden   bool                // the check of the database has been optional in this life
	probers      map[string]answered // in this life
	calm         signs               // of the server when it was first calm in this life
	tally        *tally
	progress     io.Writer
}

// run goes through a plan until ctx ends or something is wrong.
func (c *campaign) run(ctx context.Context, plan []step, until time.Time) (err error) {
	var beside sync.WaitGroup
	defer beside.Wait()
	running, stop := context.WithCancel(ctx)
	defer stop()
	beside.Go(func() { c.machine.run(running) })
	for _, name := range []string{"ann", "ben"} {
		beside.Go(func() { c.users.run(running, c.endpoints.Items, name) })
	}
	if err := c.firstStart(ctx); err != nil {
		return err
	}
	for _, s := range plan {
		if ctx.Err() != nil || !until.IsZero() && time.Now().After(until) {
			break
		}
		if err := c.step(ctx, s); err != nil {
			return &failure{s, err}
		}
	}
	return c.finish(ctx)
}

// failure is what was wrong at a step.
type failure struct {
	step step
	err  error
}

func (f *failure) Error() string { return fmt.Sprintf("step %d, %v: %v", f.step.number, f.step, f.err) }
func (f *failure) Unwrap() error { return f.err }

// firstStart starts the server in a world where nothing is wrong.
func (c *campaign) firstStart(ctx context.Context) error {
	if err := c.start(ctx); err != nil {
		return err
	}
	return c.follow(ctx, step{kind: restart}, c.truth.clone(), 0, time.Now())
}

// step makes something happen, waits until every endpoint tells the truth about it, and wants that to stay so.
func (c *campaign) step(ctx context.Context, s step) error {
	before, began := c.truth.clone(), time.Now()
	if err := c.observer.look(ctx, c.endpoints); err != nil {
		return fmt.Errorf("before the step: %w", err)
	}
	mark := c.observer.transitionLog.mark()
	if why := c.cannot(s); why != nil {
		c.tally.skip(s)
		fmt.Fprintf(c.progress, "%4d  %-32s left out: %v\n", s.number, s, why)
		return nil
	}
	if err := c.perform(ctx, s); err != nil {
		return err
	}
	return c.follow(ctx, s, before, mark, began)
}

var errLate = errors.New("the truth was late")

// follow judges what a step has led to.
func (c *campaign) follow(ctx context.Context, s step, before truth, mark int, began time.Time) error {
	happened := time.Now()
	p := c.of(s, before, c.truth)
	if err := c.settle(ctx, p, happened); err != nil {
		return err
	}
	took := time.Since(happened)
	if err := c.awaitLastWords(ctx); err != nil {
		return err
	}
	settled := c.observer.transitionLog.mark()
	c.users.expect(c.expectation())
	if err := c.hold(ctx); err != nil {
		if c.machine.pressed(began) {
			c.forgive("the machine is busy", err) // What has happened is judged by the journal.
		} else if err = c.excuse(err, began); err != nil {
			return err
		}
		if err := c.settle(ctx, p, time.Now()); err != nil {
			return err
		}
	}
	if err := c.look(ctx, s, before, mark, settled, began); err != nil {
		return err
	}
	late := took > p.within+c.timeout && c.excuse(errLate, began) != nil
	c.tally.step(s, p, took, late)
	fmt.Fprintf(c.progress, "%4d  %-32s reported by every endpoint after %5.2f s (promised %4.2f)   [%v]\n",
		s.number, s, took.Seconds(), p.within.Seconds(), c.truth)
	return c.measure(ctx)
}

// compare begins a comparison with the truth of now.
func (c *campaign) compare() *oracle.Comparison {
	e := c.truth.expected()
	e.Uptime = time.Since(c.started)
	return oracle.Compare(e)
}

// settle compares every endpoint until all tell the truth, for as long as promised and allowed.
func (c *campaign) settle(ctx context.Context, p promise, since time.Time) error {
	deadline := since.Add(p.within + c.allowance)
	for {
		q := c.compare()
		c.endpoints.Compare(ctx, q)
		c.observer.compare(q)
		err := q.Err()
		if err == nil {
			q = c.compare()
			c.endpoints.CompareCommand(ctx, q)
			err = q.Err()
		}
		c.tally.asked(q)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case time.Now().After(deadline):
			return fmt.Errorf("the truth is not out within the promised %v and %v more: %w", p, c.allowance, err)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// hold lets the checks run twice in a world that does not change, and wants every endpoint to say the same as before.
func (c *campaign) hold(ctx context.Context) error {
	if err := pause(ctx, 2*c.turn()); err != nil {
		return err
	}
	q := c.compare()
	c.endpoints.Compare(ctx, q)
	c.observer.compare(q)
	c.tally.asked(q)
	if err := q.Err(); err != nil {
		return fmt.Errorf("every endpoint was right, and now: %w", err)
	}
	return nil
}

// look judges everything that happened since a step began: no transition that the truth does not explain, none that
// is missing, no call lost.
func (c *campaign) look(ctx context.Context, s step, before truth, mark, settled int, began time.Time) error {
	if err := c.observer.look(ctx, c.endpoints); err != nil {
		return err
	}
	flaps := c.flaps(s, before, mark, settled, false)
	if flaps != nil && c.machine.pressed(began) && c.flaps(s, before, mark, settled, true) == nil {
		c.forgive("the machine is busy", flaps)
		flaps = nil
	}
	lost := c.users.takeWrong()
	if err := c.excuse(errors.Join(append(lost, flaps)...), began); err != nil {
		return err
	}
	return c.compareAccounts(ctx)
}

// flaps are transitions that the truth does not explain, since a step began and since its truth was out.
func (c *campaign) flaps(s step, before truth, mark, settled int, busy bool) error {
	var wrong []error
	if s.kind == restart || s.kind == crash || s.kind == abortedStart {
		wrong = births(c.observer.transitionLog.since(0), c.truth, busy)
	} else {
		wrong = courses(c.observer.transitionLog.since(mark), s, before, c.truth, busy)
	}
	return errors.Join(append(wrong, courses(c.observer.transitionLog.since(settled), step{kind: scrapes}, c.truth, c.truth, busy)...)...)
}

// compareAccounts wants watches, log and journal to tell the same story.
func (c *campaign) compareAccounts(ctx context.Context) error {
	err := c.observer.agree()
	if err != nil {
		return err
	}
	for range 50 { // The log is written behind.
		var wrong []error
		for _, name := range c.truth.present {
			if name == database && c.overridden {
				continue // The log is the checker's, which knows no override.
			}
			wrong = append(wrong, logged(c.server.said.all(), name, c.observer.transitionLog.course("check/"+name)))
		}
		if err = errors.Join(wrong...); err == nil {
			return nil
		}
		if err := errors.Join(pause(ctx, 20*time.Millisecond), c.observer.look(ctx, c.endpoints)); err != nil {
			return err
		}
	}
	return err
}

// excuse forgives what happened while the machine kept this process itself waiting for long enough to explain it.
func (c *campaign) excuse(err error, since time.Time) error {
	if err == nil {
		return nil
	}
	stalled := c.machine.worst(since)
	if stalled < c.timeout/5 {
		return err
	}
	c.forgive(fmt.Sprintf("the machine stood still for %v", stalled.Round(time.Millisecond)), err)
	return nil
}

func (c *campaign) forgive(why string, err error) {
	c.tally.excused++
	fmt.Fprintf(c.progress, "      excused, for %s: %s\n", why, strings.ReplaceAll(err.Error(), "\n", "\n      "))
}

// expectation is what users may expect of a settled world.
func (c *campaign) expectation() expectation {
	switch {
	case c.truth.ready():
		return works
	case c.truth.expected().Breakers[database] == "open":
		return failsFast
	default:
		return anything
	}
}

// measure takes the server's vital signs whenever nothing is wrong, and compares them with those of the first time.
func (c *campaign) measure(ctx context.Context) error {
	if !c.truth.calm() {
		return nil
	}
	deadline := time.Now().Add(c.allowance)
	for {
		now, err := readSigns(ctx, c.endpoints, c.server.PID())
		if err != nil {
			return err
		}
		if c.calm == (signs{}) {
			c.calm = now
		}
		c.tally.signs(c.calm, now)
		if err = c.calm.leak(now); err == nil || time.Now().After(deadline) {
			return err
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// finish mends everything, so that the last word is about a calm world, and ends the server.
func (c *campaign) finish(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	for _, name := range brokenOnes(c.truth.faults) {
		if err := c.step(ctx, step{kind: mendOne, dependency: name}); err != nil {
			return err
		}
	}
	if c.truth.full {
		if err := c.step(ctx, step{kind: fullDisk}); err != nil {
			return err
		}
	}
	if err := c.measure(ctx); err != nil {
		return err
	}
	return c.stop(ctx)
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
