package main

import (
	"fmt"
	"time"

	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
)

// measureWatch measures the cost of watchers for the goroutine that sets a status.
func measureWatch(p measure.Plan) (found findings) {
	const watchers = 10_000
	server := newServicer()
	group := newWatchers(server, "watched", watchers)
	equal := p.Figure(measure.Interleave(p, 1, 1, equalStatus(server))[0])
	group.leave()
	alone, watched := allocationsOfAChange(0), allocationsOfAChange(watchers)
	found.goals = []result.Goal{
		{ID: "P7", What: "ns to set an equal status, 10,000 watchers", Measured: equal, Limit: 100, Figures: result.Nanoseconds(equal)},
		{
			ID: "P7", What: "allocations that 10,000 watchers add to a change", Measured: watched - alone, Limit: 4,
			Figures: fmt.Sprintf("%.1f − %.1f", watched, alone),
		},
	}
	return found
}

// measureNotified compares the time until a change has reached all watchers.
func measureNotified(p measure.Plan) (found findings) {
	for _, size := range p.Sizes(100, 1000, 10_000, 50_000) {
		ours, theirs := lastNotified(p.Rounds*3, size)
		found.goals = append(found.goals, atMost(1, "P7", fmt.Sprintf("last of %d watchers notified, against grpc-go's", size), p.Figure(ours), p.Figure(theirs)))
		p.Dot()
	}
	return found
}

// equalStatus sets the status that the watchers of newWatchers already have.
func equalStatus(server statusServer) measure.Subject {
	return func(n int) {
		for range n {
			server.SetServingStatus("watched", healthpb.HealthCheckResponse_SERVING)
		}
	}
}

// allocationsOfAChange counts them with that many watchers, report and notification included.
func allocationsOfAChange(watchers int) float64 {
	server := newServicer()
	group := newWatchers(server, "watched", watchers)
	defer group.leave()
	const changes = 50
	change := func() {
		for i := range changes {
			server.SetServingStatus("watched", serving(i%2 == 1))
			group.wait()
		}
	}
	change() // the runtime keeps what a waiting goroutine needs, once it has made it
	return measure.Allocations(change) / changes
}

// lastNotified measures from SetServingStatus to the last watcher's message, ours and grpc-go's in turns.
func lastNotified(rounds, size int) (ours, theirs measure.Sample) {
	servers := []statusServer{newServicer(), health.NewServer()}
	samples := make([]measure.Sample, len(servers))
	groups := make([]*watchers, len(servers))
	for i, server := range servers {
		groups[i] = newWatchers(server, "watched", size)
		defer groups[i].leave()
	}
	for round := range rounds {
		for i, server := range servers {
			start := time.Now()
			server.SetServingStatus("watched", serving(round%2 == 1))
			groups[i].wait()
			samples[i] = append(samples[i], float64(time.Since(start).Nanoseconds()))
		}
	}
	return samples[0], samples[1]
}
