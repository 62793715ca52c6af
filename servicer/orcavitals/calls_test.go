package orcavitals_test

import (
	"context"
	"sync"
	"testing"
	"time"

	orcapb "github.com/cncf/xds/go/xds/data/orca/v3"
	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/orca"
)

// inFlight starts n calls and returns a function that ends them.
func inFlight(r *rig, n int) (end func()) {
	ctx, cancel := context.WithCancel(r.t.Context())
	var calls sync.WaitGroup
	for range n {
		calls.Go(func() {
			_, _ = testpb.NewTestServiceClient(r.client).UnaryCall(ctx, &testpb.SimpleRequest{})
		})
	}
	return func() { cancel(); calls.Wait() }
}

func TestStreamReportsTheLoadOfItsEnd(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		stream, err := testpb.NewTestServiceClient(r.client).FullDuplexCall(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		r.machine.set(func(m *machine) { m.memory = 500 })
		time.Sleep(5 * time.Second)
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		_, _ = stream.Recv()
		want(t, reportIn(t, stream.Trailer()), &orcapb.OrcaLoadReport{MemUtilization: 0.5})
	})
}

func TestCallMetricsRecorderAddsCosts(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		server := grpc.NewServer(orca.CallMetricsServerOption(r.reporter))
		testpb.RegisterTestServiceServer(server, r.tests)
		client, lis := connect(t)
		defer client.Close()
		r.ended.Go(func() { _ = server.Serve(lis) })
		defer server.Stop()
		time.Sleep(5 * time.Second)
		r.tests.handle = func(ctx context.Context) {
			costs := orca.CallMetricsRecorderFromContext(ctx)
			costs.SetRequestCost("rows", 12)
			costs.SetMemoryUtilization(0.75)
		}
		var trailer metadata.MD
		if _, err := testpb.NewTestServiceClient(client).UnaryCall(t.Context(), &testpb.SimpleRequest{}, grpc.Trailer(&trailer)); err != nil {
			t.Fatal(err)
		}
		report := reportIn(t, trailer)
		want(t, report, &orcapb.OrcaLoadReport{MemUtilization: 0.75})
		if report.GetRequestCost()["rows"] != 12 {
			t.Errorf("got %v, want the request cost", report)
		}
	})
}

// Calls share a report, which must not be written to.
func TestConcurrentCalls(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		time.Sleep(5 * time.Second)
		var calls sync.WaitGroup
		for range 50 {
			calls.Go(func() {
				var trailer metadata.MD
				_, err := testpb.NewTestServiceClient(r.client).UnaryCall(t.Context(), &testpb.SimpleRequest{}, grpc.Trailer(&trailer))
				if err != nil || len(trailer.Get("endpoint-load-metrics-bin")) != 1 {
					t.Errorf("%v, %v", err, trailer)
				}
			})
		}
		calls.Wait()
	})
}
