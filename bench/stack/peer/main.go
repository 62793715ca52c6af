// Program peer is a gRPC server without services of its own and what its user would pick instead of package vitals: the
// metrics and the recovery of go-grpc-middleware, grpc-go's health server, promhttp, and a loop that runs checks.
package main

import (
	"context"
	"net/http"
	"time"

	promprovider "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc"
	grpchealth "google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/bench/internal/child"
)

func main() {
	flags := child.Parse()
	metrics := promprovider.NewServerMetrics(promprovider.WithServerHandlingTimeHistogram())
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics)
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	go func() { _ = http.Serve(child.Listen(), mux) }() //nolint:gosec // It listens on the loopback interface.

	server := grpc.NewServer(
		grpc.ChainUnaryInterceptor(metrics.UnaryServerInterceptor(), recovery.UnaryServerInterceptor()),
		grpc.ChainStreamInterceptor(metrics.StreamServerInterceptor(), recovery.StreamServerInterceptor()),
	)
	health := grpchealth.NewServer()
	healthpb.RegisterHealthServer(server, health)
	go check(health, flags.Checks)
	lis := child.Listen()
	go func() { _ = server.Serve(lis) }()
	flags.Report(lis.Addr().String())
}

// check runs checks every half minute.
func check(health *grpchealth.Server, n int) {
	checks := make([]func(context.Context) error, n)
	for i := range checks {
		checks[i] = func(context.Context) error { return nil }
	}
	for range time.Tick(30 * time.Second) {
		status := healthpb.HealthCheckResponse_SERVING
		for _, run := range checks {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			if run(ctx) != nil {
				status = healthpb.HealthCheckResponse_NOT_SERVING
			}
			cancel()
		}
		health.SetServingStatus("", status)
	}
}
