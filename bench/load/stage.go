package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"
)

// stage is what happens at once for a while; each adds to the one before.
type stage struct {
	name    string
	checks  float64 // a second
	watches bool
	scrapes float64 // a second
	calls   float64 // a second; negative: as many as mostCallers callers can make
}

// result is what one stage showed.
type result struct {
	stage
	checked, probed, scraped, called outcome

	notified   []time.Duration // until the last watcher had received a change, for each change
	goroutines int             // of the server
	resident   uint64          // bytes
	lost       int64           // watches that had ended by themselves
}

// quiet is the rate of Checks that measures without being a load.
const quiet = 100

// probes is the rate of Checks on a connection of their own.
const probes = 10

func stages(l load) []stage {
	checks, scrapes, top := float64(l.checks), float64(l.scrapes)/60, float64(l.calls)
	return []stage{
		{name: "nothing else", checks: quiet},
		{name: "Checks", checks: checks},
		{name: "+ watches", checks: checks, watches: true},
		{name: "+ scrapes", checks: checks, watches: true, scrapes: scrapes},
		{name: "+ a quarter of the calls", checks: checks, watches: true, scrapes: scrapes, calls: top / 4},
		{name: "+ half of the calls", checks: checks, watches: true, scrapes: scrapes, calls: top / 2},
		{name: "+ all calls", checks: checks, watches: true, scrapes: scrapes, calls: top},
		{name: fmt.Sprintf("+ %d callers without pause", mostCallers), checks: checks, watches: true, scrapes: scrapes, calls: -1},
		{name: "nothing else, afterwards", checks: quiet},
	}
}

// rig is what all stages share.
type rig struct {
	load          load
	at            addresses
	server, group *child // group is nil while there are no watches
	checks, calls *pool
}

func runStages(ctx context.Context, l load) (results []result, err error) {
	r := &rig{load: l}
	if r.server, err = startChild(ctx, &r.at, "-serve"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.end()) }()
	if r.checks, err = newPool(r.at.GRPC); err != nil {
		return nil, err
	}
	defer r.checks.close()
	if r.calls, err = newPool(r.at.GRPC); err != nil {
		return nil, err
	}
	defer r.calls.close()
	for _, s := range stages(l) {
		fmt.Fprintf(os.Stderr, "%s …\n", s.name)
		if err := r.gather(ctx, s.watches); err != nil {
			return nil, err
		}
		one, err := r.run(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		results = append(results, one)
	}
	return results, nil
}

// gather starts or stops the group of watches.
func (r *rig) gather(ctx context.Context, watches bool) (err error) {
	switch {
	case watches && r.group == nil:
		r.group, err = startChild(ctx, &followed{}, "-watch", r.at.GRPC, "-watches", strconv.Itoa(r.load.watches))
	case !watches && r.group != nil:
		err = r.group.stop()
		r.group = nil
	}
	return err
}

func (r *rig) end() error {
	return errors.Join(r.gather(context.Background(), false), r.server.stop())
}

// run makes all of a stage's flows at once, and meanwhile takes the dependency away and gives it back.
func (r *rig) run(ctx context.Context, s stage) (result, error) {
	one := result{stage: s}
	var flows sync.WaitGroup
	start := func(into *outcome, f flow) { flows.Go(func() { *into = f.run(ctx, r.load.stage) }) }
	start(&one.checked, flow{rate: s.checks, call: func(ctx context.Context) error { return checkHealth(ctx, r.checks.conn()) }})
	start(&one.probed, flow{rate: probes, call: func(ctx context.Context) error { return probe(ctx, r.at.GRPC, r.load.kubelet) }})
	if s.scrapes > 0 {
		start(&one.scraped, flow{rate: s.scrapes, call: func(ctx context.Context) error { return scrape(ctx, r.at.HTTP) }})
	}
	if s.calls != 0 {
		start(&one.called, flow{rate: max(s.calls, 0), call: callEcho(r.calls)})
	}
	err := r.flips(ctx, &one)
	flows.Wait()
	if err != nil {
		return one, err
	}
	var f figures
	err = r.server.order("figures", &f)
	one.goroutines, one.resident = f.Goroutines, r.server.resident()
	return one, err
}

// flips changes the dependency four times, spread over the stage, and records how long it takes to reach all watchers.
func (r *rig) flips(ctx context.Context, one *result) error {
	start := time.Now()
	for i, command := range []string{"down", "up", "down", "up"} {
		pause(ctx, start.Add(r.load.stage*time.Duration(i+1)/6))
		took, err := r.flip(command, one)
		if err != nil {
			return err
		}
		one.notified = append(one.notified, took)
	}
	return nil
}

func (r *rig) flip(command string, one *result) (time.Duration, error) {
	var f followed
	if r.group != nil {
		if err := r.group.order(command, &f); err != nil {
			return 0, err
		}
	}
	start := time.Now()
	if err := r.server.order(command, &figures{}); err != nil || r.group == nil {
		return 0, err
	}
	err := r.group.order("wait", &f)
	one.lost = f.Lost
	return time.Since(start), err
}
