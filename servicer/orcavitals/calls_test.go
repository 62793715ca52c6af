package orcavitals_test

import (
	"context"
	"sync"
	"testing"
	"time"

	orcapb "github.com/cncf/xds/go/xds/data/orca/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/orca"

	"github.com/vitals-go/vitals/servicer/orcavitals"
)

// inFlight makes n calls and returns what ends them.
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

func TestAStreamTellsTheLoadOfItsEnd(t *testing.T) {
	for _, own := range []bool{false, true} {
		bubble(t, func(cfg *orcavitals.Config) { cfg.CallMetrics = own }, func(t *testing.T, r *rig) {
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
}

func TestAHandlerAddsWhatACallHasCost(t *testing.T) {
	bubble(t, func(cfg *orcavitals.Config) { cfg.CallMetrics = true }, func(t *testing.T, r *rig) {
		time.Sleep(5 * time.Second)
		r.tests.handle = func(ctx context.Context) {
			costs := orca.CallMetricsRecorderFromContext(ctx)
			costs.SetRequestCost("rows", 12)
			costs.SetMemoryUtilization(0.75)
		}
		report := r.call(codes.OK)
		want(t, report, &orcapb.OrcaLoadReport{MemUtilization: 0.75})
		if report.GetRequestCost()["rows"] != 12 {
			t.Errorf("the cost is lost: %v", report)
		}
		r.tests.handle = nil
		want(t, r.call(codes.OK), &orcapb.OrcaLoadReport{MemUtilization: 0.25, RpsFractional: 0})
	})
}

// Reports of different calls must not be mixed up, and a shared one must not be written to.
func TestCallsTogether(t *testing.T) {
	for _, own := range []bool{false, true} {
		bubble(t, func(cfg *orcavitals.Config) { cfg.CallMetrics = own }, func(t *testing.T, r *rig) {
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
}
