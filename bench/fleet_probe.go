package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/servicer"
)

// probeFacts measures what a probe costs, prober and server together, on one core over loopback: over a connection that
// stays, as a proxy's, and over one of its own, as a kubelet's.
func probeFacts(p measure.Plan, facts map[string]float64, health *servicer.Server) {
	ctx := context.Background()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := grpc.NewServer()
	health.Register(server)
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()
	target := listener.Addr().String()
	kept := dial(target)
	defer kept.Close()
	web := httptest.NewServer(ourHandler(health))
	defer web.Close()

	samples := measure.Interleave(p, 1, 1,
		repeat(func() error { return checkHealth(ctx, kept) }),
		repeat(func() error {
			conn := dial(target)
			defer conn.Close()
			return checkHealth(ctx, conn)
		}),
		repeat(func() error { return get(ctx, web.URL+"/ready") }))
	facts["kept_probe_ns"], facts["grpc_probe_ns"], facts["http_probe_ns"] = p.Figure(samples[0]), p.Figure(samples[1]), p.Figure(samples[2])
	facts["watch_stream_bytes"] = streamBytes(ctx, target)
}

func repeat(do func() error) measure.Subject {
	return func(n int) {
		for range n {
			if err := do(); err != nil {
				panic(err)
			}
		}
	}
}

func dial(target string) *grpc.ClientConn {
	conn, err := grpc.NewClient("passthrough:///"+target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		panic(err)
	}
	return conn
}

func checkHealth(ctx context.Context, conn *grpc.ClientConn) error {
	_, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: "readiness"})
	return err
}

func get(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// streamBytes is the memory of a Watch stream on a connection that holds nothing else, as with client-side health
// checking: both ends together, connection included.
func streamBytes(ctx context.Context, target string) float64 {
	const streams = 500
	var conns []*grpc.ClientConn
	before := measure.Memory()
	for range streams {
		conn := dial(target)
		conns = append(conns, conn)
		watch, err := healthpb.NewHealthClient(conn).Watch(ctx, &healthpb.HealthCheckRequest{})
		if err != nil {
			panic(err)
		}
		if _, err := watch.Recv(); err != nil {
			panic(err)
		}
	}
	after := measure.Memory()
	runtime.KeepAlive(conns)
	for _, conn := range conns {
		conn.Close()
	}
	return (after - before) / streams
}
