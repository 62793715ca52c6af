package main

import (
	"context"
	"fmt"
	"os"
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

	told       []time.Duration // until the last watcher had heard of a change, for each change
	goroutines int             // of the server
	resident   uint64          // bytes
	lost       int64           // watches that ended by themselves, in the last stage's result
}

// quiet is the rate of Checks that measures without being a load.
const quiet = 100

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
	server        *child
	checks, calls *pool
	crowd         *crowd
}

func runStages(ctx context.Context, l load, server *child) (results []result, err error) {
	r := &rig{server: server, crowd: &crowd{}}
	if r.checks, err = newPool(server.GRPC); err != nil {
		return nil, err
	}
	defer r.checks.close()
	if r.calls, err = newPool(server.GRPC); err != nil {
		return nil, err
	}
	defer r.calls.close()
	var lost int64
	for _, s := range stages(l) {
		fmt.Fprintf(os.Stderr, "%s …\n", s.name)
		switch {
		case s.watches && r.crowd.size == 0:
			if r.crowd, err = join(ctx, server.GRPC, l.watches); err != nil {
				r.crowd.leave()
				return nil, err
			}
		case !s.watches && r.crowd.size > 0:
			lost = r.crowd.leave()
			r.crowd = &crowd{}
		}
		one, err := r.run(ctx, s, l.stage)
		if err != nil {
			r.crowd.leave()
			return nil, err
		}
		one.lost = lost
		results = append(results, one)
	}
	return results, nil
}

// run makes all of a stage's flows at once, and meanwhile takes the dependency away and gives it back.
func (r *rig) run(ctx context.Context, s stage, d time.Duration) (result, error) {
	one := result{stage: s}
	var flows sync.WaitGroup
	start := func(into *outcome, f flow) { flows.Go(func() { *into = f.run(ctx, d) }) }
	start(&one.checked, flow{rate: s.checks, call: func(ctx context.Context) error { return ask(ctx, r.checks.conn()) }})
	start(&one.probed, flow{rate: 10, call: func(ctx context.Context) error { return probe(ctx, r.server.GRPC) }})
	if s.scrapes > 0 {
		start(&one.scraped, flow{rate: s.scrapes, call: func(ctx context.Context) error { return scrape(ctx, r.server.HTTP) }})
	}
	if s.calls != 0 {
		start(&one.called, flow{rate: max(s.calls, 0), call: callEcho(r.calls)})
	}
	var err error
	one.told, err = r.flips(ctx, d)
	flows.Wait()
	if err != nil {
		return one, err
	}
	f, err := r.server.order("figures")
	one.goroutines, one.resident = f.Goroutines, r.server.resident()
	return one, err
}

// flips changes the dependency four times, spread over the stage.
func (r *rig) flips(ctx context.Context, d time.Duration) (told []time.Duration, err error) {
	start := time.Now()
	for i, command := range []string{"down", "up", "down", "up"} {
		pause(ctx, start.Add(d*time.Duration(i+1)/6))
		took, err := r.crowd.flip(ctx, r.server, command)
		if err != nil {
			return told, err
		}
		told = append(told, took)
	}
	return told, nil
}
