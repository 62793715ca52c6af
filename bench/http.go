package main

import (
	"context"
	"net/http"
	"time"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// measureHTTP compares what an answer over HTTP costs, without the network.
func measureHTTP(p measure.Plan) (found findings) {
	ours, stop := evaluated(10, servicer.Config{})
	defer stop()
	one := measure.Interleave(p, 1, 1, requests(ourHandler(ours), "/health"), requests(alexHandler(10), "/health"), requests(helloHandler(10), "/health"))
	found.goals = []result.Goal{
		atLeast(50, "P9", "/health with 10 checks, cheaper than alexliesenfeld/health", p.Figure(one[1]), p.Figure(one[0])),
		atLeast(50, "P9", "/health with 10 checks, cheaper than hellofresh/health-go", p.Figure(one[2]), p.Figure(one[0])),
	}
	return found
}

// measureReport measures what the report RPC's handler and a fresh snapshot cost for each of 1,000 methods.
func measureReport(p measure.Plan) (found findings) {
	const methods = 1000
	recorder := called(methods)
	health, stop := evaluated(10, servicer.Config{Recorder: recorder})
	defer stop()
	each := p.Figure(measure.Interleave(p, 1, 1, reports(health, recorder))[0]) / methods
	found.goals = []result.Goal{
		{ID: "P9", What: "ns of a fresh snapshot and a report, for each of 1,000 methods", Measured: each, Limit: 2000, Figures: result.Nanoseconds(each)},
	}
	return found
}

// called returns a recorder whose n methods have been called.
func called(n int) *interceptor.Recorder {
	recorder := newRecorder(n)
	over(recorder.UnaryServerInterceptor, n)(n)
	return recorder
}

// reports takes snapshots and answers the report RPC.
func reports(health *servicer.Server, recorder *interceptor.Recorder) measure.Subject {
	server := reportServer(health)
	return func(n int) {
		for range n {
			if recorder != nil {
				_ = recorder.Server()
			}
			if _, err := server.GetHealthReport(context.Background(), &vitalspb.HealthReportRequest{}); err != nil {
				panic(err)
			}
		}
	}
}

// measureHanging compares the doors of a server whose dependency hangs with those of an idle one.
func measureHanging(p measure.Plan) (found findings) {
	idle, stop := evaluated(10, servicer.Config{})
	defer stop()
	hanging, err := checker.New(checker.Config{Checks: []checker.Check{{Name: "hangs", Optional: true, Run: hang}}})
	if err != nil {
		panic(err)
	}
	health, err := servicer.New(servicer.Config{Checker: hanging})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { _ = hanging.Run(ctx) }()
	go func() { _ = health.Run(ctx) }()
	calm, held := percentile99(p.Total(), ourHandler(idle)), percentile99(p.Total(), ourHandler(health))
	found.goals = []result.Goal{atMost(3, "P9", "p99 of /ready while a dependency hangs, against idle", held, calm)}
	return found
}

// hang blocks forever and ignores its context.
func hang(context.Context) error { select {} }

func percentile99(long time.Duration, handler http.Handler) float64 {
	request := requests(handler, "/ready")
	return latencies(long, 1_000_000, func() { request(1) }).Quantile(0.99)
}

func ourHandler(health *servicer.Server) http.Handler {
	handler, err := probes.NewHandler(probes.HandlerConfig{Source: health})
	if err != nil {
		panic(err)
	}
	return handler
}
