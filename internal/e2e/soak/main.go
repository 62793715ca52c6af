// Soak runs the example server under mixed load and fails if goroutines, file descriptors, heap or memory grow.
//
//	go run ./internal/e2e/soak -for 10m -out soak.md
//
// The load is calls, streams of items, health watches, scrapes, floods of probes on new connections, and clients that send
// nothing, read nothing or disconnect in the middle of a message. Dependencies do not fail; campaign covers that.
//
// It needs Linux (/proc). It exits with 1 if something has grown, or is still held after the load.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// errGrown is what a soak ends with that has found a leak.
var errGrown = errors.New("the server has grown")

// options are the flags.
type options struct {
	duration time.Duration
	rate     float64
	out      string
}

func main() {
	o := options{}
	flag.DurationVar(&o.duration, "for", 10*time.Minute, "how long the load lasts")
	flag.Float64Var(&o.rate, "rps", 40, "calls per second; everything else keeps its proportion to it")
	flag.StringVar(&o.out, "out", "", "file for the summary, as Markdown; empty writes it to the standard output")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := soak(ctx, o, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// soak runs the whole thing. Progress goes to progress.
func soak(ctx context.Context, o options, progress io.Writer) error {
	if o.duration < time.Second || o.rate <= 0 {
		return errors.New("-for must be a second or more, -rps positive")
	}
	target, err := start(ctx)
	if err != nil {
		return err
	}
	defer target.stop()
	before, err := target.rest(ctx)
	if err != nil {
		return err
	}
	samples, done, err := target.load(ctx, o, progress)
	if err != nil {
		return err
	}
	after, err := target.calm(ctx, before)
	if err != nil {
		return err
	}
	verdict := judge(before, after, samples)
	if err := o.write(verdict.markdown(o, done)); err != nil {
		return err
	}
	if verdict.grown() {
		return errGrown
	}
	return nil
}

func (o options) write(summary string) error {
	if o.out == "" {
		_, err := io.WriteString(os.Stdout, summary)
		return err
	}
	return os.WriteFile(o.out, []byte(summary), 0o644)
}
