package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitals-go/vitals/internal/e2e/endpoints"
)

// tally counts what the load has done.
type tally struct {
	calls, failed, streams, watches, probes, scrapes, rude atomic.Int64
}

// String is one line.
func (t *tally) String() string {
	return fmt.Sprintf("%d calls (%d of them failed), %d streams of items, %d watches of health, %d probes, %d scrapes, %d rude clients",
		t.calls.Load(), t.failed.Load(), t.streams.Load(), t.watches.Load(), t.probes.Load(), t.scrapes.Load(), t.rude.Load())
}

// kind of client. One is started at random intervals, which are this long on average at 40 calls per second.
type kind struct {
	every time.Duration
	come  func(context.Context, *target, *tally)
}

func kinds() []kind {
	return []kind{
		{500 * time.Millisecond, followItems},
		{200 * time.Millisecond, watchHealth},
		{2 * time.Second, readPages},
		{3 * time.Second, floodProbes},
		{time.Second, saySomethingRude},
		{2 * time.Second, saySlowly},
		{3 * time.Second, readNothing},
		{time.Second, vanish},
	}
}

// load runs everything for as long as o says, and returns a sample for each second of it.
func (t *target) load(ctx context.Context, o options, progress io.Writer) ([]sample, *tally, error) {
	conn, err := endpoints.Dial(t.Addr)
	if err != nil {
		return nil, nil, err
	}
	defer conn.Close()
	done := &tally{}
	loading, enough := context.WithTimeout(ctx, o.duration)
	var crowd sync.WaitGroup
	crowd.Go(func() { callItems(loading, conn, o.rate, done) })
	for _, k := range kinds() {
		crowd.Go(func() { k.keepComing(loading, t, o.rate/40, done) })
	}
	samples, err := t.watch(loading, o, done, progress)
	enough()
	crowd.Wait()
	switch {
	case err != nil:
		return nil, nil, err
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case len(samples) < 6:
		return nil, nil, fmt.Errorf("%d samples are too few to see anything grow", len(samples))
	}
	return samples, done, nil
}

// keepComing starts a client of the kind again and again until ctx ends, and waits until all have gone.
func (k kind) keepComing(ctx context.Context, t *target, pace float64, done *tally) {
	var clients sync.WaitGroup
	defer clients.Wait()
	for pause(ctx, time.Duration(rand.ExpFloat64()*float64(k.every)/pace)) {
		clients.Go(func() { k.come(ctx, t, done) })
	}
}

// watch takes a sample every second, more often in a short soak, and says now and then how it goes.
func (t *target) watch(ctx context.Context, o options, done *tally, progress io.Writer) (samples []sample, err error) {
	began := time.Now()
	every := min(time.Second, o.duration/40)
	missed := 0
	for told := time.Duration(0); pause(ctx, every); {
		at := time.Since(began)
		s, err := t.look(context.WithoutCancel(ctx), at)
		if err != nil {
			// A scrape may be late on a busy machine, as any other; a server that has gone answers none.
			if missed++; missed == 5 {
				return nil, fmt.Errorf("after %v: %w\n%s", at, err, t.process.Output())
			}
			continue
		}
		missed = 0
		done.scrapes.Add(1)
		samples = append(samples, s)
		if at-told >= max(o.duration/20, 2*time.Second) {
			told = at
			fmt.Fprintf(progress, "%6v of %v: %.0f goroutines, %.0f descriptors, heap %.1f MiB, memory %.1f MiB; %s\n", at.Round(time.Second), o.duration,
				s.held[goroutines], s.held[descriptors], s.held[heap], s.held[memory], done)
		}
	}
	return samples, nil
}

// pause waits, and reports whether ctx still goes on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
