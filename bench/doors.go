package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	alexliesenfeld "github.com/alexliesenfeld/health"
	hellofresh "github.com/hellofresh/health-go/v5"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

func measureDoors(p plan) []goal {
	ours, stop := judged(10, nil)
	defer stop()
	door, err := probes.NewHandler(probes.HandlerConfig{Health: ours})
	if err != nil {
		panic(err)
	}
	one := interleave(p, 1, 1, requests("ours", door), requests("alexliesenfeld", alexHandler(10)), requests("hellofresh", helloHandler(10)))
	goals := []goal{
		{id: "P9", what: "/health with 10 checks, cheaper than alexliesenfeld/health", measured: one[1].median() / one[0].median(), limit: 50, atLeast: true, figures: ns(one[1].median()) + " / " + ns(one[0].median())},
		{id: "P9", what: "/health with 10 checks, cheaper than hellofresh/health-go", measured: one[2].median() / one[0].median(), limit: 50, atLeast: true, figures: ns(one[2].median()) + " / " + ns(one[0].median())},
	}
	return append(goals, reportCost(p), hangingDependency(p, door), reportAgainstCheck(p))
}

// judged returns a servicer that has heard n checks, all healthy, and the recorder's methods if there is one.
func judged(n int, config *servicer.Config) (health *servicer.Servicer, stop func()) {
	checks := make([]checker.Check, n)
	for i := range checks {
		checks[i] = checker.Check{Name: fmt.Sprintf("check%d", i), Run: func(context.Context) error { return nil }}
	}
	asked, err := checker.New(checker.Config{Checks: checks})
	if err != nil {
		panic(err)
	}
	if config == nil {
		config = &servicer.Config{}
	}
	config.Checker = asked
	if health, err = servicer.New(*config); err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{}, 2)
	go func() { _ = asked.Run(ctx); ended <- struct{}{} }()
	go func() { _ = health.Run(ctx); ended <- struct{}{} }()
	for report := range health.Reports(ctx) {
		if report.Phase == servicer.Ready && report.Overall == checker.Healthy {
			break
		}
	}
	return health, func() { cancel(); <-ended; <-ended }
}

// discard is a ResponseWriter that costs as little as one can.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

func requests(name string, handler http.Handler) subject {
	return subject{name, func(n int) {
		request := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/health", nil)
		w := &discard{header: http.Header{}}
		for range n {
			handler.ServeHTTP(w, request)
		}
	}}
}

func alexHandler(n int) http.Handler {
	options := []alexliesenfeld.CheckerOption{alexliesenfeld.WithCacheDuration(time.Second)}
	for i := range n {
		options = append(options, alexliesenfeld.WithCheck(alexliesenfeld.Check{
			Name: fmt.Sprintf("check%d", i), Check: func(context.Context) error { return nil },
		}))
	}
	return alexliesenfeld.NewHandler(alexliesenfeld.NewChecker(options...))
}

func helloHandler(n int) http.Handler {
	h, err := hellofresh.New()
	if err != nil {
		panic(err)
	}
	for i := range n {
		if err := h.Register(hellofresh.Config{Name: fmt.Sprintf("check%d", i), Check: func(context.Context) error { return nil }}); err != nil {
			panic(err)
		}
	}
	return h.Handler()
}

// reportCost measures what the report RPC's handler and one new edition cost for each of 1,000 methods.
func reportCost(p plan) goal {
	const methods = 1000
	recorder := newRecorder(methods)
	over(methods).run(methods)
	health, stop := judged(10, &servicer.Config{Recorder: recorder})
	defer stop()
	server := reportServer(health)
	one := interleave(p, 1, 1, subject{"report", func(n int) {
		for range n {
			_ = recorder.Server()
			if _, err := server.GetHealthReport(context.Background(), &vitalspb.HealthReportRequest{}); err != nil {
				panic(err)
			}
		}
	}})
	perMethod := one[0].median() / methods
	return goal{id: "P9", what: "ns of a fresh snapshot and a report, for each of 1,000 methods", measured: perMethod, limit: 2000, figures: ns(perMethod)}
}

// hangingDependency compares the 99th percentile of a probe while a check hangs with that of an idle server.
func hangingDependency(p plan, idle http.Handler) goal {
	hanging, err := checker.New(checker.Config{Checks: []checker.Check{{Name: "hangs", Optional: true, Run: func(context.Context) error {
		select {} // ignores its context, for ever
	}}}})
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
	stuck, err := probes.NewHandler(probes.HandlerConfig{Health: health})
	if err != nil {
		panic(err)
	}
	calm, held := percentile99(p, idle), percentile99(p, stuck)
	return goal{id: "P9", what: "p99 of /ready while a dependency hangs, against idle", measured: held / calm, limit: 3, figures: ns(held) + " / " + ns(calm)}
}

func percentile99(p plan, handler http.Handler) float64 {
	request := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/ready", nil)
	w := &discard{header: http.Header{}}
	base := time.Now()
	var latencies []time.Duration
	for time.Since(base) < p.turn*time.Duration(p.rounds) && len(latencies) < 1_000_000 {
		start := time.Since(base)
		handler.ServeHTTP(w, request)
		latencies = append(latencies, time.Since(base)-start)
	}
	slices.Sort(latencies)
	return float64(latencies[len(latencies)*99/100].Nanoseconds())
}
