// Command scrape measures what scrapes cost the calls of the service that is scraped.
//
//	go run ./bench/scrape                          two minutes; leave the machine alone meanwhile
//	GOMAXPROCS=1 go run ./bench/scrape             on one processor, as in a small container
//	go run ./bench/scrape -registry                the page that promhttp makes of a registry
//	go run ./bench/scrape -scrapes 10 -methods 1000
//
// The server is a process of its own with so many methods, checks and breakers on its page. Calls come at a fixed rate,
// whatever the server does, and are timed from when they were due. A round has three blocks, in an order that turns:
// without scrapes, with scrapes of /metrics, and with scrapes of a copy of that page that is made once, which tells what
// requests of this size cost whatever is behind them. A figure is the median over the blocks of its kind; a change is the
// median over the rounds of the difference to the same round's block without scrapes, with the interval that holds the
// true median 95 times out of 100; what it must be compared with is how much a block without scrapes differs from the next
// one, by itself. Server, callers and scraper share the cores of one machine: what the scraper takes is in the figures too.
//
// It exits with 1 when a call or a scrape failed, or when a scrape ran a check.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// plan is what the flags say.
type plan struct {
	rounds          int
	block           time.Duration
	calls, scrapes  int // each second
	methods, checks int
	registry        bool
}

func main() {
	var p plan
	serve := flag.Bool("serve", false, "be the server; the program starts itself so")
	flag.IntVar(&p.rounds, "rounds", 40, "blocks of each kind")
	flag.DurationVar(&p.block, "block", time.Second, "length of a block")
	flag.IntVar(&p.calls, "calls", 1000, "calls each second")
	flag.IntVar(&p.scrapes, "scrapes", 50, "scrapes each second")
	flag.IntVar(&p.methods, "methods", 100, "methods of the server")
	flag.IntVar(&p.checks, "checks", 20, "checks of the server")
	flag.BoolVar(&p.registry, "registry", false, "let promhttp make the page, of a registry that holds the same collectors")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	do := p.measure
	if *serve {
		do = p.serve
	}
	if err := do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "scrape:", err)
		os.Exit(1)
	}
}
