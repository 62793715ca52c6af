package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes/promvitals"
)

// serve is the server's process: it ends with its input.
func (p plan) serve(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var runs atomic.Int64
	health, err := p.health(&runs)
	if err != nil {
		return err
	}
	lis, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	web, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer(health.ServerOptions()...)
	server.RegisterService(p.service(), nil)
	metrics, err := p.page(health)
	if err != nil {
		return err
	}
	pages := http.NewServeMux()
	pages.Handle("/metrics", metrics)
	pages.HandleFunc("/copy", copyOf(metrics))
	page := &http.Server{Handler: pages, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = page.Serve(web) }() // ends with the process
	done := make(chan error, 1)
	go func() { done <- health.Serve(ctx, server, lis) }()
	out := json.NewEncoder(os.Stdout)
	at := "http://" + web.Addr().String()
	if err := out.Encode(told{Calls: lis.Addr().String(), Page: at + "/metrics", Copy: at + "/copy"}); err != nil {
		return err
	}
	questions := bufio.NewScanner(os.Stdin)
	for questions.Scan() {
		if err := out.Encode(told{Runs: runs.Load(), CPU: measure.CPU()}); err != nil {
			return err
		}
	}
	if err := questions.Err(); err != nil {
		return err
	}
	stop()
	return <-done
}

// page returns the library's page, or the one that somebody has who keeps a registry.
func (p plan) page(health *vitals.Health) (http.Handler, error) {
	if !p.registry {
		return health.Handler(), nil
	}
	collector, err := promvitals.New(promvitals.Config{Health: health.Servicer, Recorder: health.Recorder})
	if err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}), nil
}

// copyOf answers with what the page was when it was asked for at first.
func copyOf(page http.Handler) http.HandlerFunc {
	var once sync.Once
	first := httptest.NewRecorder()
	return func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() {
			r = r.Clone(r.Context())
			r.URL.Path = "/metrics"
			page.ServeHTTP(first, r)
		})
		maps.Copy(w.Header(), first.Header())
		_, _ = w.Write(first.Body.Bytes()) // fails where the scraper has gone
	}
}

// health has checks that run once, at the start, and a breaker for each.
func (p plan) health(runs *atomic.Int64) (*vitals.Health, error) {
	cfg := vitals.Config{
		Prometheus: true, DrainDelay: -1, CheckInterval: time.Hour, Logger: slog.New(slog.DiscardHandler),
	}
	for i := range p.checks {
		b, err := breaker.New(breaker.Config{Name: fmt.Sprintf("dependency-%d", i)})
		if err != nil {
			return nil, err
		}
		cfg.Breakers = append(cfg.Breakers, b)
		cfg.Dependencies = append(cfg.Dependencies, checker.Check{Name: b.Name(), Run: func(context.Context) error {
			runs.Add(1)
			return nil
		}})
	}
	return vitals.New(cfg)
}

// service has so many methods that answer nothing.
func (p plan) service() *grpc.ServiceDesc {
	desc := &grpc.ServiceDesc{ServiceName: "bench.v1.Scraped", HandlerType: (*any)(nil)}
	for i := range p.methods {
		name := fmt.Sprintf("Method%d", i)
		desc.Methods = append(desc.Methods, grpc.MethodDesc{MethodName: name, Handler: func(
			srv any, ctx context.Context, decode func(any) error, around grpc.UnaryServerInterceptor,
		) (any, error) {
			in := new(emptypb.Empty)
			if err := decode(in); err != nil {
				return nil, err
			}
			info := &grpc.UnaryServerInfo{Server: srv, FullMethod: "/bench.v1.Scraped/" + name}
			return around(ctx, in, info, func(_ context.Context, in any) (any, error) { return in, nil })
		}})
	}
	return desc
}
