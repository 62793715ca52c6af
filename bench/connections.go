package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"

	"connectrpc.com/grpchealth"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/servicer"
)

// measureLoopback compares /health with 10 checks over HTTP on the loopback interface, on a connection that stays open, client
// and server on one core.
func measureLoopback(p measure.Plan) (found findings) {
	ours, stop := evaluated(10, servicer.Config{})
	defer stop()
	var subjects []measure.Subject
	for _, handler := range []http.Handler{ourHandler(ours), alexHandler(10), helloHandler(10)} {
		server := httptest.NewServer(handler)
		defer server.Close()
		subjects = append(subjects, gets(server.Client(), server.URL+"/health"))
	}
	one := measure.Interleave(p, 1, 1, subjects...)
	found.goals = append(found.goals,
		compared("P9", "/health with 10 checks over HTTP, cheaper than alexliesenfeld/health", p.Figure(one[1]), p.Figure(one[0])),
		compared("P9", "/health with 10 checks over HTTP, cheaper than hellofresh/health-go", p.Figure(one[2]), p.Figure(one[0])))
	return found
}

// gets repeats a GET on one connection.
func gets(client *http.Client, url string) measure.Subject {
	return repeat(func() error {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			return err
		}
		return response.Body.Close()
	})
}

// measureConnections compares Check as a client calls it, over an in-memory connection on one core.
func measureConnections(p measure.Plan) (found findings) {
	var subjects []measure.Subject
	for _, server := range []healthpb.HealthServer{newServicer(), health.NewServer()} {
		conn, closeAll := serve(func(s *grpc.Server) { healthpb.RegisterHealthServer(s, server) }, options{})
		defer closeAll()
		subjects = append(subjects, clientChecks(conn))
	}
	conn, closeAll := serveConnect()
	defer closeAll()
	one := measure.Interleave(p, 1, 1, append(subjects, clientChecks(conn))...)
	found.goals = append(found.goals,
		compared("P6", "Check over a connection, cheaper than grpc-go's", p.Figure(one[1]), p.Figure(one[0])),
		compared("P6", "Check over a connection, cheaper than connect's grpchealth", p.Figure(one[2]), p.Figure(one[0])))
	return found
}

func clientChecks(conn *grpc.ClientConn) measure.Subject {
	client, request := healthpb.NewHealthClient(conn), &healthpb.HealthCheckRequest{}
	return repeat(func() error {
		_, err := client.Check(context.Background(), request)
		return err
	})
}

// serveConnect is serve for connect's health handler in net/http, over HTTP/2.
func serveConnect() (conn *grpc.ClientConn, closeAll func()) {
	listener := bufconn.Listen(1 << 20)
	mux := http.NewServeMux()
	mux.Handle(grpchealth.NewHandler(grpchealth.NewStaticChecker()))
	server := &http.Server{Handler: mux, Protocols: new(http.Protocols)} //nolint:gosec // Its one client is in this process.
	server.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///bufconn", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		panic(err)
	}
	return conn, func() { conn.Close(); _ = server.Close() }
}
