package main

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/bench/internal/fleet"
	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/servicer"
)

// measureFleet measures what one instance sends and costs, from which the page about many instances is calculated.
func measureFleet(p measure.Plan) (found findings) {
	service := fleet.Service()
	recorder := newRecorder(service.Methods + 2)
	callAll(recorder, service)
	health, stop := evaluated(service.Checks, servicer.Config{
		Recorder: recorder, Breakers: breakers(service.Breakers), Services: []string{"shop.v1.Orders"}, MaxWatches: -1, MaxWatchesPerConn: -1,
	})
	defer stop()
	found.facts = map[string]float64{}
	for _, add := range []func(map[string]float64){
		func(facts map[string]float64) { scrapeFacts(facts, health, service) },
		func(facts map[string]float64) { otlpFacts(facts, health, recorder) },
		func(facts map[string]float64) { pageFacts(facts, health, recorder) },
		func(facts map[string]float64) { probeFacts(p, facts, health) },
		outageFacts,
	} {
		add(found.facts)
		p.Dot()
	}
	return found
}

// callAll calls the service's methods, each with every code that comes.
func callAll(recorder *interceptor.Recorder, service fleet.Shape) {
	for i := range service.Methods {
		info := &grpc.UnaryServerInfo{FullMethod: fmt.Sprintf("/shop.v1.Orders/Method%d", i)}
		for _, code := range []codes.Code{codes.OK, codes.NotFound, codes.InvalidArgument, codes.Canceled}[:service.Codes] {
			_, _ = recorder.UnaryServerInterceptor(context.Background(), nil, info, func(context.Context, any) (any, error) {
				return nil, status.Error(code, "")
			})
		}
	}
}

func breakers(n int) (list []breaker.SnapshotSource) {
	for i := range n {
		b, err := breaker.New(breaker.Config{Name: fmt.Sprintf("dependency%d", i)})
		if err != nil {
			panic(err)
		}
		list = append(list, b)
	}
	return list
}
