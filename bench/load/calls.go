package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
)

// connections that the flows of calls and of Checks share, each kind its own, as callers and probers do.
const connections = 8

func dial(address string) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
}

// pool spreads calls over some connections.
type pool struct {
	conns []*grpc.ClientConn
	next  atomic.Uint64
}

func newPool(address string) (*pool, error) {
	p := &pool{}
	for range connections {
		conn, err := dial(address)
		if err != nil {
			p.close()
			return nil, err
		}
		p.conns = append(p.conns, conn)
	}
	return p, nil
}

func (p *pool) conn() *grpc.ClientConn { return p.conns[p.next.Add(1)%connections] }

func (p *pool) close() {
	for _, conn := range p.conns {
		conn.Close()
	}
}

// ask calls Check for a name that serves as long as the process runs.
func checkHealth(ctx context.Context, conn grpc.ClientConnInterface) error {
	answer, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: "liveness"})
	if err == nil && answer.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		err = fmt.Errorf("liveness is %v", answer.GetStatus())
	}
	return err
}

// probe probes as the kubelet does: with a new connection each time and one timeout for all of it.
func probe(ctx context.Context, address string, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	conn, err := dial(address)
	if err != nil {
		return err
	}
	defer conn.Close()
	return checkHealth(ctx, conn)
}

func callEcho(p *pool) func(context.Context) error {
	request := &testpb.SimpleRequest{Payload: &testpb.Payload{Body: make([]byte, 64)}}
	return func(ctx context.Context) error {
		_, err := testpb.NewTestServiceClient(p.conn()).UnaryCall(ctx, request)
		return err
	}
}

func scrape(ctx context.Context, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("scrape: %s", answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}
