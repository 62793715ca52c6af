package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// load is what one run puts on the server.
type load struct {
	watches int           // open Watch streams
	checks  int           // health Checks a second
	scrapes int           // scrapes a minute
	calls   int           // application calls a second, at the top
	stage   time.Duration // how long each stage lasts
	kubelet time.Duration // how long a probe may take, all in all
}

func main() {
	l := load{kubelet: time.Second} // its default
	flag.IntVar(&l.watches, "watches", 50_000, "open Watch streams")
	flag.IntVar(&l.checks, "checks", 5_000, "health Checks a second")
	flag.IntVar(&l.scrapes, "scrapes", 500, "scrapes of /metrics a minute")
	flag.IntVar(&l.calls, "calls", 20_000, "application calls a second in the last stage but one")
	flag.DurationVar(&l.stage, "stage", 8*time.Second, "length of a stage")
	out := flag.String("out", "", "file to write the Markdown table to")
	serving := flag.Bool("serve", false, "be the server: what the command starts by itself")
	watching := flag.String("watch", "", "be the watchers of the server at this address: what the command starts by itself")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := func() error { return drive(ctx, l, *out) }
	switch {
	case *serving:
		run = func() error { return serve(ctx, os.Stdin, os.Stdout) }
	case *watching != "":
		run = func() error { return watch(ctx, *watching, l.watches, os.Stdin, os.Stdout) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// drive runs every stage against a server of its own and prints the table.
func drive(ctx context.Context, l load, out string) error {
	results, err := runStages(ctx, l)
	if err != nil {
		return err
	}
	table := markdown(l, results)
	fmt.Print(table)
	if out != "" {
		if err := os.WriteFile(out, []byte(table), 0o644); err != nil {
			return err
		}
	}
	return verdict(results)
}
