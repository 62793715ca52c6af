package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// kinds of blocks.
const (
	alone = iota
	copied
	scraped
	kinds
)

// results are those of each kind.
type results struct {
	calls, scrapes [kinds]blocks
	cpu            [kinds]time.Duration // the server's
	bytes          int
}

// measure starts a server, measures and prints the table.
func (p plan) measure(ctx context.Context) error {
	if err := p.check(); err != nil {
		return err
	}
	s, err := p.start(ctx)
	if err != nil {
		return err
	}
	r, err := p.run(ctx, s)
	end, endErr := s.end()
	if err = errors.Join(err, endErr); err != nil {
		return err
	}
	p.print(r, end.Runs)
	if end.Runs != int64(p.checks) {
		return fmt.Errorf("checks ran %d times, want %d: once each, at the start", end.Runs, p.checks)
	}
	return nil
}

func (p plan) check() error {
	var errs []error
	if p.rounds < 6 || p.rounds > 1000 {
		errs = append(errs, fmt.Errorf("-rounds %d: 6 at least, fewer say nothing, and 1000 at most", p.rounds))
	}
	for flag, rate := range map[string]int{"calls": p.calls, "scrapes": p.scrapes} {
		if p.block.Seconds()*float64(rate) < 1 {
			errs = append(errs, fmt.Errorf("-%s %d: a block of %v has none", flag, rate, p.block))
		}
	}
	return errors.Join(errs...)
}

func (p plan) run(ctx context.Context, s *server) (r results, err error) {
	conn, err := grpc.NewClient("passthrough:///"+s.Calls, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return r, err
	}
	defer conn.Close()
	if _, err := p.call(ctx, conn, p.block); err != nil { // every method has been called
		return r, err
	}
	for round := range p.rounds {
		for i := range kinds {
			if err := p.fill(ctx, conn, s, (round+i)%kinds, &r); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

// fill measures one block.
func (p plan) fill(ctx context.Context, conn *grpc.ClientConn, s *server, kind int, r *results) error {
	before, err := s.ask()
	if err != nil {
		return err
	}
	stop := p.scrape(ctx, [kinds]string{copied: s.Copy, scraped: s.Page}[kind])
	calls, err := p.call(ctx, conn, p.block)
	scrapes, size, scrapeErr := stop()
	after, askErr := s.ask()
	if err := errors.Join(err, scrapeErr, askErr); err != nil {
		return err
	}
	r.calls[kind], r.scrapes[kind] = append(r.calls[kind], calls), append(r.scrapes[kind], scrapes)
	r.cpu[kind] += after.CPU - before.CPU
	if kind == scraped {
		r.bytes = size
	}
	return nil
}

func (p plan) print(r results, runs int64) {
	fmt.Printf("`go run ./bench/scrape -scrapes %d -methods %d -checks %d -calls %d -registry=%v` on %s, %s, %s/%s, %d cores that server, callers and scraper share, GOMAXPROCS %d.\n\n",
		p.scrapes, p.methods, p.checks, p.calls, p.registry, time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.GOMAXPROCS(0))
	fmt.Println("| scrapes/s | of | calls | p50 | p99 | change of p99 | p99.9 | a scrape, p50 | p99 | the server's work for it |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|")
	for kind, name := range [kinds]string{copied: "a copy", scraped: "/metrics"} {
		b := r.calls[kind]
		quantiles := fmt.Sprintf("%v | %v", b.median(.5), b.median(.99))
		if kind == alone {
			noise := b.quantiles(.99).noise().Round(10 * time.Microsecond)
			fmt.Printf("| 0 | – | %d | %s | ±%v by itself | %v | – | – | – |\n", b.count(), quantiles, noise, b.median(.999))
			continue
		}
		scrapes := r.scrapes[kind]
		work := (r.cpu[kind] - r.cpu[alone]) / time.Duration(scrapes.count())
		fmt.Printf("| %d | %s | %d | %s | %v | %v | %v | %v | %v |\n", p.scrapes, name, b.count(), quantiles,
			changeOf(b.quantiles(.99), r.calls[alone].quantiles(.99)), b.median(.999), scrapes.median(.5), scrapes.median(.99), work.Round(10*time.Microsecond))
	}
	fmt.Printf("\nA page has %d KB; the %d checks ran %d times in all.\n", r.bytes/1000, p.checks, runs)
}
