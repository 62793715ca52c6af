package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// measure starts a server, measures and prints the table.
func (p plan) measure(ctx context.Context) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	child := exec.CommandContext(ctx, program, "-serve", fmt.Sprint("-methods=", p.methods), fmt.Sprint("-checks=", p.checks))
	child.Stderr = os.Stderr
	in, err := child.StdinPipe()
	if err != nil {
		return err
	}
	out, err := child.StdoutPipe()
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	answers := json.NewDecoder(out)
	var server told
	if err := answers.Decode(&server); err != nil {
		return errors.Join(fmt.Errorf("the server did not start: %w", err), child.Wait())
	}
	r, failed := p.run(ctx, server)
	var end told
	failed = errors.Join(failed, in.Close(), answers.Decode(&end), child.Wait())
	if failed == nil {
		p.print(r, end.Runs)
		if end.Runs != int64(p.checks) {
			failed = fmt.Errorf("checks ran %d times, want %d: once each, at the start", end.Runs, p.checks)
		}
	}
	return failed
}

// results are those without and with scrapes.
type results struct {
	calls  [2]blocks
	scrape blocks
	bytes  int
}

func (p plan) run(ctx context.Context, server told) (r results, err error) {
	conn, err := grpc.NewClient("passthrough:///"+server.Calls, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return r, err
	}
	defer conn.Close()
	if _, err := p.call(ctx, conn, p.block); err != nil { // every method has been called
		return r, err
	}
	for pair := range p.pairs {
		for i := range 2 {
			scraped := (pair + i) % 2
			stop := func() (sample, int, error) { return nil, 0, nil }
			if scraped == 1 {
				stop = p.scrape(ctx, server.Page)
			}
			took, err := p.call(ctx, conn, p.block)
			scrapes, size, scrapeErr := stop()
			if err := errors.Join(err, scrapeErr); err != nil {
				return r, err
			}
			r.calls[scraped] = append(r.calls[scraped], took)
			if scraped == 1 {
				r.scrape, r.bytes = append(r.scrape, scrapes), size
			}
		}
	}
	return r, nil
}

func (p plan) print(r results, runs int64) {
	fmt.Printf("`go run ./bench/scrape -scrapes %d -methods %d -checks %d -calls %d` on %s, %s, %s/%s, %d cores that server, callers and scraper share.\n\n",
		p.scrapes, p.methods, p.checks, p.calls, time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	fmt.Println("| scrapes/s | calls | p50 | p99 | p99.9 |")
	fmt.Println("|---|---|---|---|---|")
	for i, name := range []string{"0", strconv.Itoa(p.scrapes)} {
		b := r.calls[i]
		fmt.Printf("| %s | %d | %v | %v | %v |\n", name, b.count(), b.median(.5), b.median(.99), b.median(.999))
	}
	fmt.Printf("\n%d scrapes of %d KB took %v (p50) and %v (p99); the %d checks ran %d times in all.\n",
		r.scrape.count(), r.bytes/1000, r.scrape.median(.5), r.scrape.median(.99), p.checks, runs)
}
