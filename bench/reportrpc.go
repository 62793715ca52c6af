package main

import (
	"context"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// measureReportRPC compares the 99th percentiles of the report RPC and of Check on a real server, in turns, while a
// dependency hangs and a disk hangs.
func measureReportRPC(p measure.Plan) (found findings) {
	c := partlyHanging()
	health, err := servicer.New(servicer.Config{Checker: c})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { _ = c.Run(ctx) }()
	go func() { _ = health.Run(ctx) }()
	conn, closeAll := serve(func(server *grpc.Server) { health.Register(server) }, options{})
	defer closeAll()

	check, report := healthpb.NewHealthClient(conn), vitalspb.NewHealthReportServiceClient(conn)
	var checked, reported measure.Sample
	took := func(call func() error) float64 {
		start := time.Now()
		if err := call(); err != nil {
			panic(err)
		}
		return float64(time.Since(start))
	}
	for base := time.Now(); time.Since(base) < p.Total()*2; {
		checked = append(checked, took(func() error { _, err := check.Check(ctx, &healthpb.HealthCheckRequest{}); return err }))
		reported = append(reported, took(func() error { _, err := report.GetHealthReport(ctx, &vitalspb.HealthReportRequest{}); return err }))
	}
	found.goals = []result.Goal{
		atMost(3, "P9", "p99 of GetHealthReport against Check's, while a dependency and a disk hang", reported.Quantile(0.99), checked.Quantile(0.99)),
	}
	return found
}

// partlyHanging checks resources that answer, and a dependency and a disk that hang.
func partlyHanging() *checker.Checker {
	checks, err := resource.Checks(resource.Config{DiskPaths: []string{"/"}})
	if err != nil {
		panic(err)
	}
	for _, name := range []string{"database", "disk"} {
		checks = append(checks, checker.Check{Name: name, Run: hang, Timeout: 50 * time.Millisecond, Interval: 100 * time.Millisecond})
	}
	c, err := checker.New(checker.Config{Checks: checks})
	if err != nil {
		panic(err)
	}
	return c
}
