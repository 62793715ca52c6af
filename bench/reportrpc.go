package main

import (
	"context"
	"net"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// reportAgainstCheck compares the 99th percentiles of the report RPC and of Check on a real server, in turns, while a
// dependency hangs and a disk does not answer.
func reportAgainstCheck(p plan) goal {
	checks, err := resource.Checks(resource.Config{DiskPaths: []string{"/"}})
	if err != nil {
		panic(err)
	}
	hang := func(context.Context) error { select {} }
	for _, name := range []string{"database", "disk"} {
		checks = append(checks, checker.Check{Name: name, Run: hang, Timeout: 50 * time.Millisecond, Interval: 100 * time.Millisecond})
	}
	asked, err := checker.New(checker.Config{Checks: checks})
	if err != nil {
		panic(err)
	}
	health, err := servicer.New(servicer.Config{Checker: asked})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { _ = asked.Run(ctx) }()
	go func() { _ = health.Run(ctx) }()

	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	health.Register(server)
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()
	conn, err := grpc.NewClient("passthrough:///bufconn", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	check, report := healthpb.NewHealthClient(conn), vitalspb.NewHealthReportServiceClient(conn)
	took := map[string][]time.Duration{}
	measure := func(name string, call func() error) {
		start := time.Now()
		if err := call(); err != nil {
			panic(err)
		}
		took[name] = append(took[name], time.Since(start))
	}
	for base := time.Now(); time.Since(base) < p.turn*time.Duration(p.rounds)*2; {
		measure("check", func() error { _, err := check.Check(ctx, &healthpb.HealthCheckRequest{}); return err })
		measure("report", func() error { _, err := report.GetHealthReport(ctx, &vitalspb.HealthReportRequest{}); return err })
	}
	p99 := func(name string) float64 {
		slices.Sort(took[name])
		return float64(took[name][len(took[name])*99/100].Nanoseconds())
	}
	return goal{
		id: "P9", what: "p99 of GetHealthReport against Check's, while a dependency and a disk hang", measured: p99("report") / p99("check"),
		limit: 3, figures: ns(p99("report")) + " / " + ns(p99("check")),
	}
}
