package main

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
	"github.com/vitals-go/vitals/breaker"
)

// The sizes between which growth is measured.
const fewNames, manyNames = 1_000, 16_000

// measureNames compares names with grpc-go's: many that are set one after the other while reports are followed, one that is
// listed again and again, and their memory.
func measureNames(p measure.Plan) (found findings) {
	var ours, theirs measure.Sample
	for range max(5, p.Rounds/2) {
		ours, theirs = append(ours, setNames(manyNames)), append(theirs, setPeerNames(manyNames))
	}
	p.Dot()
	lists := measure.Interleave(p, 1, 1, listing(newServicer()), listing(health.NewServer()))
	memory := ratioOfBytes(0, "P14", "memory of a name, against grpc-go's", namesInMemory(manyNames, ourServer), namesInMemory(manyNames, grpcServer))
	memory.AtLeast = true // no goal
	found.goals = []result.Goal{
		atMost(5, "P14", "16,000 new names while reports are followed, against grpc-go's", p.Figure(ours), p.Figure(theirs)),
		compared("P14", "List of one name, cheaper than grpc-go's", p.Figure(lists[1]), p.Figure(lists[0])),
		memory,
	}
	return found
}

// measureNamesGrowth measures how the cost of names grows: of services that are set while reports are followed, of services
// that are known from the start, and of the breakers of a group.
func measureNamesGrowth(p measure.Plan) (found findings) {
	grows := func(what string, cost func(n int) float64) result.Goal {
		var few, many measure.Sample
		for range 5 {
			few, many = append(few, cost(fewNames)), append(many, cost(manyNames))
		}
		p.Dot()
		return power("P14", what, exponent(p.Figure(few), p.Figure(many), manyNames/fewNames))
	}
	found.goals = []result.Goal{
		grows("growth of new names, from 1,000 to 16,000", setNames),
		grows("growth of Config.Services, from 1,000 to 16,000", func(n int) float64 { return elapsed(func() { newServices(n) }) }),
		grows("growth of a breaker group, from 1,000 to 16,000", func(n int) float64 { return elapsed(func() { newGroup(n) }) }),
	}
	return found
}

// listing repeats List.
func listing(server healthpb.HealthServer) measure.Subject {
	request := &healthpb.HealthListRequest{}
	return repeat(func() error {
		_, err := server.List(context.Background(), request)
		return err
	})
}

// power is a goal for the exponent of a growth, where 1 is linear.
func power(id, what string, exponent float64) result.Goal {
	return result.Goal{ID: id, What: what, Measured: exponent, Limit: 1.1, Figures: "exponent"}
}

// exponent is that of the growth from a to b while the size grows by factor.
func exponent(a, b, factor float64) float64 { return math.Log(b/a) / math.Log(factor) }

func elapsed(do func()) float64 {
	start := time.Now()
	do()
	return float64(time.Since(start))
}

func serviceNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint("shop.v1.Orders", i)
	}
	return names
}

// setNames sets n names on a server whose reports are followed.
func setNames(n int) float64 {
	s := newServicer()
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	group.Go(func() { _ = s.Run(ctx) })
	group.Go(func() {
		for range s.Changes(ctx) {
		}
	})
	return setAll(s, n)
}

func setPeerNames(n int) float64 { return setAll(health.NewServer(), n) }

func setAll(s statusServer, n int) float64 {
	names := serviceNames(n)
	return elapsed(func() {
		for _, name := range names {
			s.SetServingStatus(name, serving(true))
		}
	})
}

// newGroup makes a group of n breakers.
func newGroup(n int) {
	g, err := breaker.NewGroup(breaker.GroupConfig{Breaker: breaker.Config{Name: "upstream"}, MaxBreakers: n})
	if err != nil {
		panic(err)
	}
	for _, name := range serviceNames(n) {
		g.Get(name)
	}
}
