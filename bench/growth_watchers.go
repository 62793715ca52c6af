package main

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
)

// measureGrowthWatchers measures what the number of Watch streams costs.
func measureGrowthWatchers(p measure.Plan) (found findings) {
	p = p.Times(0.25)
	g := growth{x: "watchers", figure: result.Figure{
		Name: "watchers", Title: "Growth with the number of watchers",
		Note: "Watch streams of one name, without a network. Memory includes the stack of each goroutine, 2 KiB at least. A change reaches more goroutines than the caches hold stacks of, and so grows faster than their number, as grpc-go's does. A stream of vitals needs a stack of 4 KiB, one of grpc-go 2 KiB; over a connection, whose own calls need more, both take the same memory.",
	}}
	equal := g.panel("Setting the status that it has", "ns", nameVitals, nameGRPC)
	notified := g.panel("A change, until the last one is notified", "ns", nameVitals, nameGRPC)
	memory := g.panel("Memory of a watcher", "B", nameVitals, nameGRPC, "a goroutine that waits")
	waits := g.panel("p99.9 of Check, a change every 20 ms", "ns", nameVitals, nameGRPC)
	for _, n := range p.Sizes(100, 1000, 10_000, 50_000) {
		size := float64(n)
		warmGoroutines(2 * n)
		addWatchers(p, equal, memory, n)
		memory[2].Add(size, waitingBytes(n))
		ours, theirs := lastNotified(p.Rounds*3, n)
		notified[0].Add(size, ours.Median())
		notified[1].Add(size, theirs.Median())
		for i, server := range []statusServer{newServicer(), health.NewServer()} {
			waits[i].Add(size, tail(p.Total()*2, server, n).Quantile(0.999))
		}
		p.Dot()
	}
	found.figures = []result.Figure{g.figure}
	beyond := ratioOfBytes(0, "growth", "memory of a watch beyond its goroutine, at the largest size, against grpc-go's",
		memory[0].Last()-memory[2].Last(), memory[1].Last()-memory[2].Last())
	connected := ratioOfBytes(0, "growth", "memory of a watch over a connection, both ends, against grpc-go's", connectedBytes(ourServer), connectedBytes(grpcServer))
	beyond.AtLeast, connected.AtLeast = true, true // no goal
	found.goals = []result.Goal{
		grows("growth of memory with watches", memory[0], 1000, 1),
		growsLike("growth of a change until the last watcher is notified", notified[0], notified[1], 1000),
		beyond, connected,
	}
	return found
}

// addWatchers measures the memory of the watches of a name, and the cost of setting its status.
func addWatchers(p measure.Plan, equal, memory []result.Line, n int) {
	subjects := make([]measure.Subject, len(equal))
	for i, build := range []func() statusServer{func() statusServer { return newServicer() }, func() statusServer { return health.NewServer() }} {
		var groups []*watchers
		memory[i].Add(float64(n), held(n, func() any {
			server := build()
			subjects[i] = equalStatus(server)
			groups = append(groups, newWatchers(server, "watched", n))
			return groups[len(groups)-1]
		}))
		defer func() {
			for _, c := range groups {
				c.leave()
			}
		}()
	}
	add(p, equal, n, subjects...)
}

// warmGoroutines lets the runtime make n records of goroutines, which it reuses and never frees: what is measured afterwards
// does not depend on how many there were before.
func warmGoroutines(n int) { waitingBytes(n) }

// waitingBytes is the memory of each of n goroutines that wait for a context to end, which every Watch stream needs.
func waitingBytes(n int) float64 {
	ctx, cancel := context.WithCancel(context.Background())
	var waiting sync.WaitGroup
	defer waiting.Wait()
	defer cancel()
	return held(n, func() any {
		for range n {
			waiting.Go(func() { <-ctx.Done() })
		}
		return nil
	})
}

// connectedBytes is the memory of a Watch stream over an in-memory connection that it shares with many, both ends together.
func connectedBytes(build func() statusServer) float64 {
	const streams = 3000
	server := build()
	conn, closeAll := serve(func(s *grpc.Server) { healthpb.RegisterHealthServer(s, server) }, options{})
	defer closeAll()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	client := healthpb.NewHealthClient(conn)
	return held(streams, func() any {
		for range streams {
			stream, err := client.Watch(ctx, &healthpb.HealthCheckRequest{})
			if err == nil {
				_, err = stream.Recv()
			}
			if err != nil {
				panic(err)
			}
		}
		return nil
	})
}
