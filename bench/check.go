package main

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
	"github.com/vitals-go/vitals/servicer"
)

// statusServer is what both health servers have in common.
type statusServer interface {
	healthpb.HealthServer
	SetServingStatus(service string, status healthpb.HealthCheckResponse_ServingStatus)
}

func newServicer() *servicer.Server {
	s, err := servicer.New(servicer.Config{MaxWatches: -1, MaxWatchesPerConn: -1})
	if err != nil {
		panic(err)
	}
	return s
}

// measureCheck compares the handlers on one core.
func measureCheck(p measure.Plan) (found findings) {
	check := checks(newServicer())
	one := measure.Interleave(p, 1, 1, check, checks(health.NewServer()))
	found.goals = []result.Goal{
		atMost(0.3, "P6", "Check handler against grpc-go's", p.Figure(one[0]), p.Figure(one[1])),
		allocations(0, "P6", "allocations of Check", testing.AllocsPerRun(1000, func() { check(1) })),
	}
	return found
}

// measureCheckTail compares the longest waits while watchers are notified.
func measureCheckTail(p measure.Plan) (found findings) {
	const watchers = 10_000
	calm, stormy := tail(p.Total()*3, newServicer(), watchers), tail(p.Total()*3, health.NewServer(), watchers)
	found.goals = []result.Goal{
		atMost(0.05, "P6", "p99.99 of Check while 10,000 watchers flip, against grpc-go's", calm.Quantile(0.9999), stormy.Quantile(0.9999)),
	}
	return found
}

func checks(server healthpb.HealthServer) measure.Subject {
	request := &healthpb.HealthCheckRequest{}
	return func(n int) {
		ctx := context.Background()
		for range n {
			if _, err := server.Check(ctx, request); err != nil {
				panic(err)
			}
		}
	}
}

// tail times every Check while a name with that many watchers flips every 20 ms.
func tail(long time.Duration, server statusServer, watchers int) measure.Sample {
	group := newWatchers(server, "flipping", watchers)
	defer group.leave()
	stop, stopped := make(chan struct{}), make(chan struct{})
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
	defer func() { close(stop); <-stopped }()
	check := checks(server)
	return latencies(long, 4_000_000, func() { check(1) })
}

// latencies times do again and again, for so long or so many times.
func latencies(long time.Duration, most int, do func()) measure.Sample {
	sample := make(measure.Sample, 0, most)
	for base := time.Now(); time.Since(base) < long && len(sample) < most; {
		start := time.Since(base)
		do()
		sample = append(sample, float64(time.Since(base)-start))
	}
	return sample
}

func serving(on bool) healthpb.HealthCheckResponse_ServingStatus {
	if on {
		return healthpb.HealthCheckResponse_SERVING
	}
	return healthpb.HealthCheckResponse_NOT_SERVING
}
