package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
	"github.com/vitals-go/vitals/internal/e2e/endpoints"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// These clients behave.

const items = 100

// callItems reads and writes items at a steady rate, with at most 16 calls in flight.
func callItems(ctx context.Context, conn *grpc.ClientConn, rate float64, done *tally) {
	client := inventoryv1.NewInventoryClient(conn)
	free := make(chan struct{}, 16)
	var flying sync.WaitGroup
	defer flying.Wait()
	for pause(ctx, time.Duration(rand.ExpFloat64()/rate*float64(time.Second))) {
		select {
		case free <- struct{}{}:
		default:
			continue
		}
		flying.Go(func() {
			defer func() { <-free }()
			callItem(ctx, client, done)
		})
	}
}

func callItem(ctx context.Context, client inventoryv1.InventoryClient, done *tally) {
	call, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	sku := fmt.Sprintf("soak-%03d", rand.IntN(items))
	var err error
	switch rand.IntN(4) {
	case 0:
		_, err = client.Put(call, &inventoryv1.PutRequest{Item: &inventoryv1.Item{Sku: sku, Name: "an item", Quantity: rand.Int64N(1000)}})
	case 1:
		_, err = client.List(call, &inventoryv1.ListRequest{PageSize: 20})
	default:
		_, err = client.Get(call, &inventoryv1.GetRequest{Sku: sku})
	}
	if ctx.Err() != nil {
		return // Our own end has cut it off.
	}
	done.calls.Add(1)
	if err != nil && status.Code(err) != codes.NotFound {
		done.failed.Add(1)
	}
}

// alone runs use with a connection of its own, for up to the time given.
func (t *target) alone(ctx context.Context, atMost time.Duration, use func(context.Context, *grpc.ClientConn)) {
	conn, err := endpoints.Dial(t.Addr)
	if err != nil {
		return
	}
	defer conn.Close()
	ctx, leave := context.WithTimeout(ctx, time.Duration(rand.Int64N(int64(atMost))))
	defer leave()
	use(ctx, conn)
}

// followItems follows changes for a few seconds.
func followItems(ctx context.Context, t *target, done *tally) {
	done.streams.Add(1)
	t.alone(ctx, 5*time.Second, func(ctx context.Context, conn *grpc.ClientConn) {
		stream, err := inventoryv1.NewInventoryClient(conn).Watch(ctx, &inventoryv1.WatchRequest{})
		for err == nil {
			_, err = stream.Recv()
		}
	})
}

// watchHealth watches a few names, some of which nobody knows, and the report.
func watchHealth(ctx context.Context, t *target, done *tally) {
	done.watches.Add(3)
	t.alone(ctx, 3*time.Second, func(ctx context.Context, conn *grpc.ClientConn) {
		var watching sync.WaitGroup
		for _, name := range []string{"readiness", fmt.Sprintf("nobody-%d", rand.Uint32())} {
			watching.Go(func() {
				stream, err := healthpb.NewHealthClient(conn).Watch(ctx, &healthpb.HealthCheckRequest{Service: name})
				for err == nil {
					_, err = stream.Recv()
				}
			})
		}
		watching.Go(func() {
			stream, err := vitalspb.NewHealthReportServiceClient(conn).WatchHealthReport(ctx, &vitalspb.WatchHealthReportRequest{IncludeMethods: true})
			for err == nil {
				_, err = stream.Recv()
			}
		})
		watching.Wait()
	})
}

// readPages reads everything that the HTTP door has.
func readPages(ctx context.Context, t *target, done *tally) {
	for _, path := range []string{
		"/health", "/health?format=html", "/health?format=health", "/ready?verbose", "/health/database", "/health/badge.svg", "/metrics", "/nothing",
	} {
		if _, _, err := t.Get(ctx, path); err == nil {
			done.probes.Add(1)
		}
	}
}

// floodProbes asks from many connections at once.
func floodProbes(ctx context.Context, t *target, done *tally) {
	var flood sync.WaitGroup
	for i := range 40 {
		flood.Go(func() {
			path := [...]string{"/live", "/ready", "/startup", "/health"}[i%4]
			if _, _, err := t.Get(ctx, path); err == nil {
				done.probes.Add(1)
			}
		})
	}
	for range 10 {
		flood.Go(func() {
			t.alone(ctx, 5*time.Second, func(ctx context.Context, conn *grpc.ClientConn) {
				if _, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{}); err == nil {
					done.probes.Add(1)
				}
			})
		})
	}
	flood.Wait()
}
