package main

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/grpcbreaker"
	"github.com/vitals-go/vitals/servicer/healthclient"
)

const (
	pause   = 5 * time.Millisecond // between calls
	timeout = time.Second          // of a call
)

// client calls a fleet over one connection.
type client struct {
	conn    *grpc.ClientConn
	calls   testpb.TestServiceClient
	breaker *breaker.Breaker
}

func connect(f *fleet) (*client, error) {
	b, err := breaker.New(breaker.Config{Name: "fleet", OpenTime: 200 * time.Millisecond, MaxOpenTime: time.Second})
	if err != nil {
		return nil, err
	}
	guard, err := grpcbreaker.New(grpcbreaker.Config{Breaker: b})
	if err != nil {
		return nil, err
	}
	names := manual.NewBuilderWithScheme("fleet") // dns:/// in production
	var state resolver.State
	for _, m := range f.members {
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: m.address}}})
	}
	names.InitialState(state)
	conn, err := grpc.NewClient("fleet:///", append(guard.DialOptions(),
		grpc.WithResolvers(names),
		grpc.WithContextDialer(f.network.dial),
		grpc.WithDefaultServiceConfig(healthclient.ServiceConfig(service)),
		grpc.WithConnectParams(quickReconnect()),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
	)...)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, calls: testpb.NewTestServiceClient(conn), breaker: b}, nil
}

// quickReconnect is for servers that restart soon, in a short demonstration.
func quickReconnect() grpc.ConnectParams {
	return grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, MaxDelay: time.Second}}
}

func (c *client) close() { c.conn.Close() }

// wait returns when the first server serves.
func (c *client) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	_, err := c.calls.UnaryCall(ctx, &testpb.SimpleRequest{}, grpc.WaitForReady(true))
	return err
}

// seen is what became of the calls of one act.
type seen struct {
	served   map[string]int // successful calls by server, once all clients had time to react
	lost     int            // sent in vain
	rejected int            // rejected by the breaker
}

// load calls for d, while change goes on beside it. Every call that fails counts, from the first one on.
func (c *client) load(ctx context.Context, d time.Duration, change func()) seen {
	result := seen{served: make(map[string]int)}
	var changing sync.WaitGroup
	changing.Go(change)
	defer changing.Wait()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < d; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return result
		}
		settled := time.Since(began) > d/2
		switch name, err := c.call(ctx); {
		case breaker.IsRejected(err):
			result.rejected++
		case err != nil:
			result.lost++
		case settled:
			result.served[name]++
		}
	}
	return result
}

func (c *client) call(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	response, err := c.calls.UnaryCall(ctx, &testpb.SimpleRequest{})
	return response.GetServerId(), err
}
