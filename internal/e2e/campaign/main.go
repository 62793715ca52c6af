// Campaign injects faults into the example server, PostgreSQL, Redis and other dependencies, and compares what every endpoint
// reports with the true state.
//
//	go run ./internal/e2e/campaign -seed 7 -steps 200
//	go run ./internal/e2e/campaign -for 10m
//	go run ./internal/e2e/campaign -short
//
// The seed determines the steps; `-seed N -steps K` replays a failure. README.md describes faults, checks and delays.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	seed      uint64
	steps     int
	duration  time.Duration
	short     bool
	clock     bool
	allowance time.Duration
	out       string
	list      bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parse(os.Args[1:])
	if err == nil {
		err = run(ctx, o, os.Stdout)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("campaign", flag.ContinueOnError)
	flags.Uint64Var(&o.seed, "seed", 1, "what the sequence of steps follows from")
	flags.IntVar(&o.steps, "steps", 0, "how many steps; 0 for 100, or as many as fit into -for")
	flags.DurationVar(&o.duration, "for", 0, "begin no step after this time; 0 for no end")
	flags.BoolVar(&o.short, "short", false, "the form for CI: no more than 40 s of steps, and the machine's own clock")
	flags.BoolVar(&o.clock, "clock", true, "build the server with a clock that can be set, which takes minutes the first time")
	flags.DurationVar(&o.allowance, "allowance", usual().allowance, "what a busy machine is given beyond the promised delays")
	flags.StringVar(&o.out, "out", "", "write the summary to this `file`, too")
	flags.BoolVar(&o.list, "list", false, "only show the steps")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.short {
		o.clock, o.duration = false, 40*time.Second
	}
	if o.steps == 0 && o.duration == 0 {
		o.steps = 100
	}
	if o.steps < 0 || o.duration < 0 || o.allowance < 0 || flags.NArg() > 0 {
		return o, fmt.Errorf("campaign: negative numbers and further arguments %q make no sense", flags.Args())
	}
	if o.steps == 0 {
		o.steps = int(o.duration/time.Second)*4 + 1 // More than fit.
	}
	return o, nil
}

// run runs a campaign and writes its progress, what was wrong and how to see it again, and the summary.
func run(ctx context.Context, o options, w io.Writer) error {
	plan := newPlan(o.seed, o.steps)
	if o.list {
		for _, s := range plan {
			fmt.Fprintf(w, "%4d  %v\n", s.number, s)
		}
		return nil
	}
	c, err := newCampaign(ctx, o, w)
	if err != nil {
		return err
	}
	defer c.close()
	var until time.Time
	if o.duration > 0 {
		until = time.Now().Add(o.duration)
	}
	wrong := c.run(ctx, plan, until)
	if wrong != nil {
		c.explain(w, o, wrong)
	}
	summary := c.tally.summary(o.seed, c.users, wrong)
	fmt.Fprint(w, "\n", summary)
	if o.out != "" {
		wrong = errors.Join(wrong, os.WriteFile(o.out, []byte(summary), 0o600))
	}
	return wrong
}

// explain tells all that is known about a failure.
func (c *campaign) explain(w io.Writer, o options, wrong error) {
	fmt.Fprintf(w, "\nFAIL: %v\n\nthe truth: %v\n", wrong, c.truth)
	if f, ok := errors.AsType[*failure](wrong); ok {
		fmt.Fprintf(w, "again: go run ./internal/e2e/campaign -seed %d -steps %d -clock=%v\n", o.seed, max(f.step.number, 1), o.clock)
	}
	fmt.Fprintf(w, "\nthe server's journal at the end:\n")
	entries := c.observer.transitionLog.since(0)
	for _, e := range entries[max(len(entries)-40, 0):] {
		fmt.Fprintf(w, "  %v\n", e)
	}
	fmt.Fprintf(w, "\nthe server's last words:\n  %s\n", strings.Join(c.server.said.last(40), "\n  "))
}
