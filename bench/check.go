package main

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/servicer"
)

// statusServer is what both health servers have in common.
type statusServer interface {
	healthpb.HealthServer
	SetServingStatus(service string, status healthpb.HealthCheckResponse_ServingStatus)
}

func newServicer() *servicer.Servicer {
	s, err := servicer.New(servicer.Config{MaxWatches: -1, MaxWatchesPerConn: -1})
	if err != nil {
		panic(err)
	}
	return s
}

func measureCheck(p plan) []goal {
	ours, theirs := newServicer(), health.NewServer()
	one := interleave(p, 1, 1, checks("ours", ours), checks("grpc-go", theirs))
	check := checks("ours", ours)
	allocs := testing.AllocsPerRun(1000, func() { check.run(1) })

	const watchers = 10_000
	calm, stormy := tail(p, ours, watchers), tail(p, theirs, watchers)
	return []goal{
		{id: "P6", what: "Check handler against grpc-go's", measured: one[0].median() / one[1].median(), limit: 0.3, figures: ns(one[0].median()) + " / " + ns(one[1].median())},
		{id: "P6", what: "allocations of Check", measured: allocs, limit: 0, figures: fmt.Sprint(allocs)},
		{id: "P6", what: "p99.99 of Check while 10,000 watchers flip, against grpc-go's", measured: calm / stormy, limit: 0.05, figures: ns(calm) + " / " + ns(stormy)},
	}
}

func checks(name string, server healthpb.HealthServer) subject {
	request := &healthpb.HealthCheckRequest{}
	return subject{name, func(n int) {
		ctx := context.Background()
		for range n {
			if _, err := server.Check(ctx, request); err != nil {
				panic(err)
			}
		}
	}}
}

// tail is the 99.99th percentile of Check while a name with that many watchers flips every 20 ms.
func tail(p plan, server statusServer, watchers int) float64 {
	crowd := newCrowd(server, "flipping", watchers)
	defer crowd.leave()
	stop := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for on := false; ; on = !on {
			select {
			case <-stop:
				return
			case <-ticker.C:
				server.SetServingStatus("flipping", serving(on))
			}
		}
	}()
	request := &healthpb.HealthCheckRequest{}
	latencies := make([]time.Duration, 0, 4_000_000)
	base := time.Now()
	for deadline := p.turn * time.Duration(p.rounds) * 3; time.Since(base) < deadline && len(latencies) < cap(latencies); {
		start := time.Since(base)
		if _, err := server.Check(context.Background(), request); err != nil {
			panic(err)
		}
		latencies = append(latencies, time.Since(base)-start)
	}
	close(stop)
	<-stopped
	slices.Sort(latencies)
	return float64(latencies[len(latencies)*9999/10_000].Nanoseconds())
}

func serving(on bool) healthpb.HealthCheckResponse_ServingStatus {
	if on {
		return healthpb.HealthCheckResponse_SERVING
	}
	return healthpb.HealthCheckResponse_NOT_SERVING
}
