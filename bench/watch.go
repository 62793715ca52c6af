package main

import (
	"fmt"
	"runtime"
	"time"

	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

func measureWatch(p plan) []goal {
	goals := []goal{equalStatus(p), allocationsOfAChange()}
	sizes := []int{100, 1000, 10_000, 50_000}
	if p.name == "short" {
		sizes = []int{100, 10_000}
	}
	for _, size := range sizes {
		ours, theirs := lastTold(p, size)
		goals = append(goals, goal{
			id: "P7", what: fmt.Sprintf("last of %d watchers told, against grpc-go's", size),
			measured: ours / theirs, limit: 1, figures: ns(ours) + " / " + ns(theirs),
		})
	}
	return goals
}

// equalStatus measures setting the status that 10,000 watchers already have.
func equalStatus(p plan) goal {
	server := newServicer()
	crowd := newCrowd(server, "watched", 10_000)
	defer crowd.leave()
	one := interleave(p, 1, 1, subject{"equal status", func(n int) {
		for range n {
			server.SetServingStatus("watched", healthpb.HealthCheckResponse_SERVING)
		}
	}})
	return goal{id: "P7", what: "ns to set an equal status, 10,000 watchers", measured: one[0].median(), limit: 100, figures: ns(one[0].median())}
}

// allocationsOfAChange counts what 10,000 watchers add to the allocations of one change, everybody told.
func allocationsOfAChange() goal {
	alone, watched := allocationsWith(0), allocationsWith(10_000)
	return goal{
		id: "P7", what: "allocations that 10,000 watchers add to a change", measured: watched - alone, limit: 4,
		figures: fmt.Sprintf("%.1f − %.1f", watched, alone),
	}
}

// allocationsWith counts the allocations of one change with that many watchers, report included.
func allocationsWith(watchers int) float64 {
	server := newServicer()
	crowd := newCrowd(server, "watched", watchers)
	defer crowd.leave()
	const changes = 50
	change := func() {
		for i := range changes {
			server.SetServingStatus("watched", serving(i%2 == 1))
			crowd.wait()
		}
	}
	change() // the runtime keeps what a waiting goroutine needs, once it has made it
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	change()
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / changes
}

// lastTold measures from SetServingStatus to the last watcher's message: the medians of ours and grpc-go's, in turns.
func lastTold(p plan, size int) (ours, theirs float64) {
	servers := []statusServer{newServicer(), health.NewServer()}
	samples := make([]sample, len(servers))
	crowds := make([]*crowd, len(servers))
	for i, server := range servers {
		crowds[i] = newCrowd(server, "watched", size)
		defer crowds[i].leave()
	}
	for round := range p.rounds * 3 {
		for i, server := range servers {
			start := time.Now()
			server.SetServingStatus("watched", serving(round%2 == 1))
			crowds[i].wait()
			samples[i] = append(samples[i], float64(time.Since(start).Nanoseconds()))
		}
	}
	return samples[0].median(), samples[1].median()
}
